/* Loaded into the program: after each flush of a file or folder below POWER_FOLDER it runs
   POWER_SCRIPT, which notes what would be left if the power went. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void flushed(int fd)
{
    const char *folder = getenv("POWER_FOLDER"), *script = getenv("POWER_SCRIPT");
    char link[64], path[4096], command[9000];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || !script || length < 0)
        return;
    path[length] = 0;
    if (strncmp(path, folder, strlen(folder)))
        return;
    snprintf(command, sizeof command, "LD_PRELOAD= bash '%s' '%s' || kill -9 $PPID", script, path);
    if (system(command) < 0)
        abort();
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(fd);
    if (!result)
        flushed(fd);
    return result;
}
