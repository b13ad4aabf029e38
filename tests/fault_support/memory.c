/* Preloaded into a program, refuses memory: the FAULT_AT-th request for FAULT_SIZE bytes or more, and
 * with FAULT_STAYS every one after it. When that happens it makes the file FAULT_MARK, by which the test
 * knows that there were so many requests. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's own, which need no looking up: that would ask for memory. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static atomic_long requests;
static long first;
static size_t least;
static const char *mark;
static int stays;

__attribute__((constructor)) static void begin(void) {
    const char *size = getenv("FAULT_SIZE"), *at = getenv("FAULT_AT");
    mark = getenv("FAULT_MARK");
    stays = getenv("FAULT_STAYS") != NULL;
    least = size ? (size_t)atol(size) : 0;
    first = size && at && mark ? atol(at) : 0;
}

static int refuses(size_t size) {
    if (!first || size < least) return 0;
    long count = atomic_fetch_add(&requests, 1) + 1;
    if (stays ? count < first : count != first) return 0;
    int file = (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600);
    if (file >= 0) syscall(SYS_close, file);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) {
    return refuses(size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole) || refuses(whole)) return NULL;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    return refuses(size) ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    return refuses(size) ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (!memory) return ENOMEM;
    *result = memory;
    return 0;
}
