/* Preloaded into a program, makes one of its system calls fail: the FAULT_AT-th FAULT_CALL on a path
 * that contains FAULT_PATH, and with FAULT_STAYS every one after it. When that happens it makes the
 * file FAULT_MARK, by which the test knows that there were so many calls. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this call is the one to fail. */
static int fails(const char *call, const char *path) {
    const char *wanted = getenv("FAULT_CALL"), *part = getenv("FAULT_PATH");
    const char *at = getenv("FAULT_AT"), *mark = getenv("FAULT_MARK");
    if (!wanted || !part || !at || !mark || strcmp(wanted, call) || !strstr(path, part)) return 0;
    long count = atomic_fetch_add(&calls, 1) + 1, first = atol(at);
    if (getenv("FAULT_STAYS") ? count < first : count != first) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600);
    if (file >= 0) syscall(SYS_close, file);
    return 1;
}

/* The same for a call on an open file. */
static int fails_on(const char *call, int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define FAIL(number) do { errno = (number); return -1; } while (0)

static int open_as(const char *name, const char *path, int flags, mode_t mode) {
    if (fails("open", path)) FAIL(EMFILE);
    return REAL(int, name, const char *, int, ...)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_as("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open_as("open64", path, flags, mode);
}

ssize_t read(int file, void *data, size_t count) {
    if (fails_on("read", file)) FAIL(EIO);
    return REAL(ssize_t, "read", int, void *, size_t)(file, data, count);
}

ssize_t write(int file, const void *data, size_t count) {
    if (fails_on("write", file)) FAIL(ENOSPC);
    if (fails_on("interrupted write", file)) FAIL(EINTR);
    if (count > 1 && fails_on("short write", file)) count /= 2;
    return REAL(ssize_t, "write", int, const void *, size_t)(file, data, count);
}

int fsync(int file) {
    if (fails_on("fsync", file)) FAIL(EIO);
    return REAL(int, "fsync", int)(file);
}

int fchmod(int file, mode_t mode) {
    if (fails_on("fchmod", file)) FAIL(EPERM);
    return REAL(int, "fchmod", int, mode_t)(file, mode);
}

int rename(const char *from, const char *to) {
    if (fails("rename", to)) FAIL(EACCES);
    return REAL(int, "rename", const char *, const char *)(from, to);
}

int unlink(const char *path) {
    if (fails("unlink", path)) FAIL(EACCES);
    return REAL(int, "unlink", const char *)(path);
}

int close(int file) {
    int is_bad = fails_on("close", file);
    int result = REAL(int, "close", int)(file);
    if (is_bad) FAIL(EIO);
    return result;
}
