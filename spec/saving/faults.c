/* Preloaded by the crash test (Linux): makes the N-th write, fsync, link or rename go wrong.
 *
 *   NN_FAULT=kill:7    half of the 7th write is done (or the 7th call is not made), then SIGKILL
 *   NN_FAULT=full:7    the 7th write fails: no space left on the device
 *   NN_FAULT=sync:7    the 7th fsync fails: input/output error
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int left = -1;
static char kind;

static void load(void) {
  const char *text = getenv("NN_FAULT");
  kind = text ? text[0] : 0;
  text = text ? strchr(text, ':') : NULL;
  left = text ? atoi(text + 1) : 0;
}

/* Counts a call; 1 when it is the one to go wrong. */
static int due(const char *kinds) {
  if (left < 0) load();
  return kind && strchr(kinds, kind) && left > 0 && --left == 0;
}

static int is_file(int fd) {
  struct stat s;
  return fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t n) {
  ssize_t (*real)(int, const void *, size_t) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "write");
  if (is_file(fd) && due("kf") && kind != 's') {
    if (kind == 'f') {
      (void)real(fd, bytes, n / 2);
      errno = ENOSPC;
      return -1;
    }
    (void)real(fd, bytes, n / 2);
    raise(SIGKILL);
  }
  return real(fd, bytes, n);
}

int fsync(int fd) {
  int (*real)(int) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "fsync");
  if (due("ks")) {
    if (kind == 'k') raise(SIGKILL);
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int link(const char *from, const char *to) {
  int (*real)(const char *, const char *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "link");
  if (due("k")) raise(SIGKILL);
  return real(from, to);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "rename");
  if (due("k")) raise(SIGKILL);
  return real(from, to);
}
