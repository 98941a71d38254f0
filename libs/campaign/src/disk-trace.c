/*
 * Writes down, in order, everything a program does to the files below one
 * directory, so that a test can work out afterwards which of it a loss of power
 * may take away. Preloaded into the program; knows nothing about what is legal.
 *
 *   cc -O2 -shared -fPIC -o disk-trace.so disk-trace.c -ldl -lpthread
 *   LD_PRELOAD=./disk-trace.so DISK_TRACE_DIRECTORY=/data DISK_TRACE_FILE=/trace program
 *
 * Each event is a header of seven words of 64 bits (little endian), followed by
 * up to two byte strings:
 *
 *   size of the event | kind | a | b | c | length of the first string | of the second
 *
 *   kind 1  bytes written        a inode, b offset               first: the bytes
 *        2  length set           a inode, b length, c 1: only ever longer
 *        3  flushed              a inode or 0 for a directory, b events before its start,
 *                                c the first event whose bytes it covers
 *        4  file made            a inode                         first: path
 *        5  renamed                                              first: from, second: to
 *        6  name removed                                         first: path
 *        7  directory made                                       first: path
 *        8  directory removed                                    first: path
 *        9  not understood                                       first: what
 *
 * An event is written after the system has done what it says, and before the
 * program hears of it. What is killed in between is not promised to anybody.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536

enum kind { WRITTEN = 1, LENGTH, FLUSHED, MADE, RENAMED, REMOVED, DIRECTORY_MADE, DIRECTORY_REMOVED, UNKNOWN };
enum watch { NOT_WATCHED, WATCHED_FILE, WATCHED_DIRECTORY };

/* `seen` is how far a file of the C library's own streams was put down; such a file only grows. */
struct open_file { enum watch watch; uint64_t inode; int is_stream, is_durable; uint64_t seen; };

static struct open_file files[DESCRIPTORS];
static char root[PATH_MAX];
static size_t root_length;
static int trace = -1;
static uint64_t events;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The function of the C library behind a name that this file takes. */
#define LIBRARY(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void begin(void)
{
    const char *directory = getenv("DISK_TRACE_DIRECTORY");
    const char *path = getenv("DISK_TRACE_FILE");
    if (!directory || !path || !realpath(directory, root)) return;
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace >= 0) root_length = strlen(root);
}

/* Puts down one event. The turn is held. */
static void note(enum kind kind, uint64_t a, uint64_t b, uint64_t c, struct iovec first, struct iovec second)
{
    uint64_t header[7] = { sizeof header + first.iov_len + second.iov_len, kind, a, b, c,
                           first.iov_len, second.iov_len };
    struct iovec parts[3] = { { header, sizeof header }, first, second };
    size_t left = header[0];
    int at = 0;
    while (left > 0) {
        ssize_t done = syscall(SYS_writev, trace, parts + at, 3 - at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) abort(); /* a trace with holes proves nothing */
        left -= (size_t)done;
        while (at < 3 && (size_t)done >= parts[at].iov_len) done -= (ssize_t)parts[at++].iov_len;
        if (at < 3) {
            parts[at].iov_base = (char *)parts[at].iov_base + done;
            parts[at].iov_len -= (size_t)done;
        }
    }
    events++;
}

static struct iovec bytes(const void *start, size_t length)
{
    return (struct iovec){ (void *)start, length };
}

static struct iovec none(void) { return bytes(NULL, 0); }

static struct open_file *watched(int fd)
{
    struct stat info;
    int saved = errno, is_same;
    pthread_once(&once, begin);
    if (fd < 0 || fd >= DESCRIPTORS || files[fd].watch == NOT_WATCHED) return NULL;
    /* The C library closes some descriptors without asking us; the number may be a socket by now. */
    is_same = !fstat(fd, &info) && info.st_ino == files[fd].inode &&
              (files[fd].watch == WATCHED_FILE ? S_ISREG(info.st_mode) : S_ISDIR(info.st_mode));
    if (!is_same) files[fd].watch = NOT_WATCHED;
    errno = saved;
    return is_same ? &files[fd] : NULL;
}

/* The path below the root in one form; NULL when it is elsewhere. */
static const char *below(int directory, const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX], whole[PATH_MAX];
    char *slash;
    pthread_once(&once, begin);
    if (!root_length || !path) return NULL;
    if (path[0] == '/') {
        if ((size_t)snprintf(whole, sizeof whole, "%s", path) >= sizeof whole) return NULL;
    } else {
        char link[64];
        ssize_t length;
        if (directory == AT_FDCWD) {
            if (!getcwd(folder, sizeof folder)) return NULL;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            if ((length = readlink(link, folder, sizeof folder - 1)) < 0) return NULL;
            folder[length] = 0;
        }
        if ((size_t)snprintf(whole, sizeof whole, "%s/%s", folder, path) >= sizeof whole) return NULL;
    }
    /* The last part may not exist any more; what it is in does. */
    slash = strrchr(whole, '/');
    *slash = 0;
    if (!realpath(*whole ? whole : "/", folder)) return NULL;
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", folder, slash + 1) >= PATH_MAX) return NULL;
    if (strncmp(out, root, root_length) || out[root_length] != '/') return NULL;
    return out + root_length + 1;
}

static void opened(int fd, const char *path, int flags, int is_new)
{
    struct stat info;
    if (fd < 0 || fd >= DESCRIPTORS || fstat(fd, &info)) return;
    if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return;
    files[fd].inode = info.st_ino;
    files[fd].watch = S_ISDIR(info.st_mode) ? WATCHED_DIRECTORY : WATCHED_FILE;
    files[fd].is_stream = 0;
    files[fd].is_durable = (flags & O_DSYNC) != 0; /* O_SYNC has that bit too */
    if (S_ISDIR(info.st_mode)) return;
    if (is_new) note(MADE, info.st_ino, 0, 0, bytes(path, strlen(path)), none());
    else if (flags & O_TRUNC) note(LENGTH, info.st_ino, 0, 0, none(), none());
}

static int is_root(const char *path)
{
    char whole[PATH_MAX];
    pthread_once(&once, begin);
    return root_length && path && realpath(path, whole) && !strcmp(whole, root);
}

/* A file that is opened once more by its descriptor is below the root if its own name is. */
static const char *own_name(const char *path, char out[PATH_MAX])
{
    ssize_t length;
    if (!path || strncmp(path, "/proc/self/fd/", 14)) return path;
    if ((length = readlink(path, out, PATH_MAX - 1)) < 0) return path;
    out[length] = 0;
    return out;
}

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    char out[PATH_MAX], own[PATH_MAX];
    const char *name = below(directory, own_name(path, own), out);
    int fd, is_new, saved;
    if (!name && !is_root(path)) return (int)syscall(SYS_openat, directory, path, flags, mode);
    pthread_mutex_lock(&turn);
    is_new = (flags & O_CREAT) && faccessat(directory, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    saved = errno;
    opened(fd, name ? name : "", flags, is_new);
    pthread_mutex_unlock(&turn);
    errno = saved;
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list list; \
        mode_t mode = 0; \
        va_start(list, flags); \
        if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(list, mode_t); \
        va_end(list); \
        return open_at(AT_FDCWD, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int directory, const char *path, int flags, ...) \
    { \
        va_list list; \
        mode_t mode = 0; \
        va_start(list, flags); \
        if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(list, mode_t); \
        va_end(list); \
        return open_at(directory, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS) files[fd].watch = NOT_WATCHED;
    return (int)syscall(SYS_close, fd);
}

/*
 * `done` bytes of `parts` were written; they end at `at` + `done`, or at the present position. Two events
 * when they are flushed with that: the power may fail in between.
 */
static void written(struct open_file *file, int fd, const struct iovec *parts, ssize_t done, off_t at)
{
    off_t offset = at >= 0 ? at : lseek(fd, 0, SEEK_CUR) - done;
    size_t left = (size_t)done;
    uint64_t first = events;
    for (; left > 0; parts++) {
        size_t length = parts->iov_len < left ? parts->iov_len : left;
        note(WRITTEN, file->inode, (uint64_t)offset, 0, bytes(parts->iov_base, length), none());
        offset += (off_t)length;
        left -= length;
    }
    if (file->is_durable) note(FLUSHED, file->inode, events, first, none(), none());
}

#define WRITES(name, parameters, call, parts, at) \
    ssize_t name parameters \
    { \
        struct open_file *file = watched(fd); \
        ssize_t done; \
        int saved; \
        if (!file || file->watch != WATCHED_FILE) return call; \
        pthread_mutex_lock(&turn); \
        done = call; \
        saved = errno; \
        if (done > 0) { \
            struct iovec one = parts; \
            written(file, fd, &one, done, at); \
        } \
        pthread_mutex_unlock(&turn); \
        errno = saved; \
        return done; \
    }
WRITES(write, (int fd, const void *data, size_t count), syscall(SYS_write, fd, data, count), bytes(data, count), -1)
WRITES(pwrite, (int fd, const void *data, size_t count, off_t at),
       syscall(SYS_pwrite64, fd, data, count, at), bytes(data, count), at)
WRITES(pwrite64, (int fd, const void *data, size_t count, off64_t at),
       syscall(SYS_pwrite64, fd, data, count, at), bytes(data, count), at)

#define WRITES_PARTS(name, parameters, call, at) \
    ssize_t name parameters \
    { \
        struct open_file *file = watched(fd); \
        ssize_t done; \
        int saved; \
        if (!file || file->watch != WATCHED_FILE) return call; \
        pthread_mutex_lock(&turn); \
        done = call; \
        saved = errno; \
        if (done > 0) written(file, fd, parts, done, at); \
        pthread_mutex_unlock(&turn); \
        errno = saved; \
        return done; \
    }
WRITES_PARTS(writev, (int fd, const struct iovec *parts, int count), syscall(SYS_writev, fd, parts, count), -1)
WRITES_PARTS(pwritev, (int fd, const struct iovec *parts, int count, off_t at),
             syscall(SYS_pwritev, fd, parts, count, at, 0), at)
WRITES_PARTS(pwritev64, (int fd, const struct iovec *parts, int count, off64_t at),
             syscall(SYS_pwritev, fd, parts, count, at, 0), at)

/*
 * Streams write past every name that can be taken. So a stream's file is opened by us, and whatever it
 * has grown by is put down when the program flushes or closes the stream.
 */
static void catch_up(int fd)
{
    struct open_file *file = watched(fd);
    struct stat info;
    char link[64], part[65536];
    int reader, saved = errno;
    if (!file || !file->is_stream) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    reader = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
    if (reader < 0 || fstat(fd, &info)) abort();
    pthread_mutex_lock(&turn);
    while (file->seen < (uint64_t)info.st_size) {
        uint64_t left = (uint64_t)info.st_size - file->seen;
        ssize_t got = syscall(SYS_pread64, reader, part, left < sizeof part ? left : sizeof part, file->seen);
        if (got <= 0) abort();
        note(WRITTEN, file->inode, file->seen, 0, bytes(part, (size_t)got), none());
        file->seen += (uint64_t)got;
    }
    pthread_mutex_unlock(&turn);
    syscall(SYS_close, reader);
    errno = saved;
}

static FILE *open_stream(const char *path, const char *mode)
{
    char out[PATH_MAX];
    struct stat info;
    int flags = mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC, fd;
    if (mode[0] == 'r' || !below(AT_FDCWD, path, out)) return LIBRARY(fopen64)(path, mode);
    fd = open_at(AT_FDCWD, path, flags, 0666);
    if (fd < 0 || fd >= DESCRIPTORS || fstat(fd, &info)) return NULL;
    files[fd].is_stream = 1;
    files[fd].seen = (uint64_t)info.st_size;
    return fdopen(fd, mode);
}
FILE *fopen(const char *path, const char *mode) { return open_stream(path, mode); }
FILE *fopen64(const char *path, const char *mode) { return open_stream(path, mode); }

#define FLUSH_STREAM(name) \
    int name(FILE *stream) \
    { \
        int done = LIBRARY(name)(stream); \
        if (stream) catch_up(fileno(stream)); \
        return done; \
    }
FLUSH_STREAM(fflush)
FLUSH_STREAM(fflush_unlocked)

int fclose(FILE *stream)
{
    int fd = fileno(stream);
    if (watched(fd) && files[fd].is_stream) {
        LIBRARY(fflush)(stream);
        catch_up(fd);
        files[fd].watch = NOT_WATCHED;
    }
    return LIBRARY(fclose)(stream);
}

/* A flush covers what was written before it began, not what came while it ran. */
#define FLUSH(name) \
    int name(int fd) \
    { \
        struct open_file *file = watched(fd); \
        uint64_t before; \
        int done, saved; \
        if (!file) return (int)syscall(SYS_##name, fd); \
        pthread_mutex_lock(&turn); \
        before = events; \
        pthread_mutex_unlock(&turn); \
        done = (int)syscall(SYS_##name, fd); \
        saved = errno; \
        pthread_mutex_lock(&turn); \
        if (done == 0) note(FLUSHED, file->watch == WATCHED_FILE ? file->inode : 0, before, 0, none(), none()); \
        pthread_mutex_unlock(&turn); \
        errno = saved; \
        return done; \
    }
FLUSH(fsync)
FLUSH(fdatasync)

#define TRUNCATE(name, type) \
    int name(int fd, type length) \
    { \
        struct open_file *file = watched(fd); \
        int done, saved; \
        if (!file) return (int)syscall(SYS_ftruncate, fd, length); \
        pthread_mutex_lock(&turn); \
        done = (int)syscall(SYS_ftruncate, fd, length); \
        saved = errno; \
        if (done == 0) note(LENGTH, file->inode, (uint64_t)length, 0, none(), none()); \
        pthread_mutex_unlock(&turn); \
        errno = saved; \
        return done; \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

static int allocate(int fd, off64_t offset, off64_t length)
{
    struct open_file *file = watched(fd);
    int done, saved;
    pthread_mutex_lock(&turn);
    done = (int)syscall(SYS_fallocate, fd, 0, offset, length);
    saved = errno;
    if (done == 0 && file) note(LENGTH, file->inode, (uint64_t)(offset + length), 1, none(), none());
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}
int posix_fallocate(int fd, off_t offset, off_t length) { return allocate(fd, offset, length) ? errno : 0; }
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return allocate(fd, offset, length) ? errno : 0; }

/* Refused, so that the caller copies by reading and writing, which is seen. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags)
{
    if (!watched(out)) return syscall(SYS_copy_file_range, in, from, out, to, count, flags);
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int out, int in, off64_t *from, size_t count)
{
    if (!watched(out)) return syscall(SYS_sendfile, out, in, from, count);
    errno = EINVAL;
    return -1;
}
ssize_t sendfile(int out, int in, off_t *from, size_t count) { return sendfile64(out, in, (off64_t *)from, count); }

static int change_name(enum kind kind, int directory, const char *path, long result_of, long flags)
{
    char out[PATH_MAX];
    const char *name = below(directory, path, out);
    int done, saved;
    pthread_mutex_lock(&turn);
    if (kind == DIRECTORY_MADE) done = (int)syscall(SYS_mkdirat, directory, path, result_of);
    else done = (int)syscall(SYS_unlinkat, directory, path, flags);
    saved = errno;
    if (done == 0 && name) note(kind, 0, 0, 0, bytes(name, strlen(name)), none());
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}
int mkdir(const char *path, mode_t mode) { return change_name(DIRECTORY_MADE, AT_FDCWD, path, mode, 0); }
int mkdirat(int at, const char *path, mode_t mode) { return change_name(DIRECTORY_MADE, at, path, mode, 0); }
int rmdir(const char *path) { return change_name(DIRECTORY_REMOVED, AT_FDCWD, path, 0, AT_REMOVEDIR); }
int unlink(const char *path) { return change_name(REMOVED, AT_FDCWD, path, 0, 0); }
int unlinkat(int at, const char *path, int flags)
{
    return change_name(flags & AT_REMOVEDIR ? DIRECTORY_REMOVED : REMOVED, at, path, 0, flags);
}

static int rename_at(int from_directory, const char *from, int to_directory, const char *to)
{
    char from_out[PATH_MAX], to_out[PATH_MAX];
    const char *source = below(from_directory, from, from_out), *target = below(to_directory, to, to_out);
    int done, saved;
    pthread_mutex_lock(&turn);
    done = (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 0);
    saved = errno;
    if (done == 0 && source && target) {
        note(RENAMED, 0, 0, 0, bytes(source, strlen(source)), bytes(target, strlen(target)));
    } else if (done == 0 && (source || target)) {
        note(UNKNOWN, 0, 0, 0, bytes("rename across the border", 24), none());
    }
    pthread_mutex_unlock(&turn);
    errno = saved;
    return done;
}
int rename(const char *from, const char *to) { return rename_at(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int a, const char *from, int b, const char *to) { return rename_at(a, from, b, to); }

int link(const char *from, const char *to)
{
    int done = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), saved = errno;
    char out[PATH_MAX];
    if (done == 0 && below(AT_FDCWD, to, out)) {
        pthread_mutex_lock(&turn);
        note(UNKNOWN, 0, 0, 0, bytes("link", 4), none());
        pthread_mutex_unlock(&turn);
    }
    errno = saved;
    return done;
}
