/** The load generator as its own process: `generator.ts etcd|robustmq ENDPOINTS LOAD`, figures on standard output. */

import { connectToEtcd } from './etcd-puts.ts';
import { connectToPlacement } from './placement-puts.ts';
import { type PutLoad, runPutLoad } from './put-load.ts';

const [, , name = '', endpoints = '', load = ''] = process.argv;
const [leader = ''] = endpoints.split(',');
const target = name === 'etcd' ? connectToEtcd(leader) : connectToPlacement(endpoints.split(','));
const figures = await runPutLoad(target, JSON.parse(load) as PutLoad);
await target.close();
console.log(JSON.stringify(figures));
