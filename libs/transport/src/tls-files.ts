import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ListenError, type TlsOptions } from './listener.ts';

/** What `tls.Server` takes, at the start and on a reload. */
export type TlsMaterial = SecureContextOptions & {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
};

/**
 * Reads and checks certificate, key and certificate authority.
 *
 * @throws ListenError naming the listener, the file and what to do; nothing has changed then
 */
export function readTlsMaterial(listenerName: string, options: TlsOptions): TlsMaterial {
  const where = `listener ${listenerName}`;
  if (options.clientCertificate !== 'none' && options.certificateAuthorityFile === null) {
    throw new ListenError(
      'LISTEN_TLS_AUTHORITY_MISSING',
      `${where}: client certificates are ${options.clientCertificate}, but no certificate authority file is set. Without one, any publicly trusted certificate would pass. Name the file of the authority that signs your clients.`,
    );
  }
  const cert = readPem(where, 'certificate', options.certificateFile);
  const key = readPem(where, 'private key', options.privateKeyFile);
  const ca =
    options.certificateAuthorityFile === null
      ? null
      : readPem(where, 'certificate authority', options.certificateAuthorityFile);
  const certificate = parseCertificate(where, options.certificateFile, cert);
  if (!certificate.checkPrivateKey(parseKey(where, options.privateKeyFile, key))) {
    throw new ListenError(
      'LISTEN_TLS_KEY_MISMATCH',
      `${where}: the private key in ${options.privateKeyFile} does not belong to the certificate in ${options.certificateFile}. Name the pair that was issued together, the server's certificate first in its file.`,
    );
  }
  if (ca !== null) parseCertificate(where, options.certificateAuthorityFile ?? '', ca);
  const material: TlsMaterial = {
    cert,
    key,
    ...(ca === null ? {} : { ca }),
    ...(options.ciphers === null ? {} : { ciphers: options.ciphers }),
    minVersion: options.minimumVersion,
    honorCipherOrder: true,
    // A client that renegotiates makes the server work, at little cost to itself (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    requestCert: options.clientCertificate !== 'none',
    rejectUnauthorized: options.clientCertificate === 'required',
  };
  checkUsable(where, material);
  return material;
}

function readPem(where: string, what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ListenError(
      'LISTEN_TLS_FILE_UNREADABLE',
      `${where}: cannot read the ${what} file ${file} (${code}). Check the path and that the process may read it.`,
      { cause: error },
    );
  }
}

function parseCertificate(where: string, file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new ListenError(
      'LISTEN_TLS_CERTIFICATE_INVALID',
      `${where}: ${file} does not hold a certificate. It must be PEM, beginning with "-----BEGIN CERTIFICATE-----".`,
      { cause: error },
    );
  }
}

function parseKey(where: string, file: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new ListenError(
      'LISTEN_TLS_KEY_INVALID',
      `${where}: ${file} does not hold a private key that can be used. It must be PEM, without a passphrase.`,
      { cause: error },
    );
  }
}

function checkUsable(where: string, material: TlsMaterial): void {
  try {
    createSecureContext(material);
  } catch (error) {
    throw new ListenError(
      'LISTEN_TLS_SETTINGS_INVALID',
      `${where}: the TLS settings are not usable: ${(error as Error).message}. Check the list of ciphers and the strength of the certificate.`,
      { cause: error },
    );
  }
}
