/* The system calls that Lua's own library lacks.
 *
 * What the outside world decides returns nil (or false) and a message (but read raises it); wrong
 * arguments raise, and so does every function that takes a path in a sandbox. Files are written
 * beside their place, flushed to the disk, renamed, and the folder is flushed: a reader sees the
 * old file or the new one, also after a crash.
 */
#include "lua/l_sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/behind.h"
#include "lua/control.h"
#include "lua/l_tensor.h"
#include "lua/limits.h"

/* The path at argument 1, where files are open to the state. */
static const char *check_path(lua_State *L, int arg, const char *what) {
  const char *path = luaL_checkstring(L, arg);
  nn_lua_check_files(L, what);
  return path;
}

/* nil, "where: reason" for the errno of a call that failed. */
static int push_failure(lua_State *L, const char *where, int code) {
  luaL_pushfail(L);
  lua_pushfstring(L, "%s: %s", where, strerror(code));
  return 2;
}

/* sys.clock(): seconds of a clock that only goes forward. */
static int l_clock(lua_State *L) {
  lua_pushnumber(L, nn_control_now());
  return 1;
}

/* sys.isatty(fd): is that file descriptor (0, 1, 2) a terminal? */
static int l_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* sys.columns(): width of the terminal at standard output (else error); nil where there is none. */
static int l_columns(lua_State *L) {
  struct winsize size;
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      lua_pushinteger(L, size.ws_col);
      return 1;
    }
  }
  luaL_pushfail(L);
  return 1;
}

/* sys.exists(path): "file", "directory", "other", or false. */
static int l_exists(lua_State *L) {
  struct stat s;
  if (stat(check_path(L, 1, "sys.exists"), &s) != 0) lua_pushboolean(L, 0);
  else lua_pushstring(L, S_ISREG(s.st_mode) ? "file" : S_ISDIR(s.st_mode) ? "directory" : "other");
  return 1;
}

/* sys.stamp(path): a text that changes when the file does; nil where there is none. */
static int l_stamp(lua_State *L) {
  struct stat s;
  if (stat(check_path(L, 1, "sys.stamp"), &s) != 0) return 0;
#if defined(__APPLE__)
  long nanoseconds = s.st_mtimespec.tv_nsec;
#else
  long nanoseconds = s.st_mtim.tv_nsec;
#endif
  lua_pushfstring(L, "%I %I %I %I %I", (LUAI_UACINT)s.st_dev, (LUAI_UACINT)s.st_ino,
                  (LUAI_UACINT)s.st_size, (LUAI_UACINT)s.st_mtime, (LUAI_UACINT)nanoseconds);
  return 1;
}

/* sys.rename(from, to): replaces `to`. true, or nil and a message. */
static int l_rename(lua_State *L) {
  const char *from = check_path(L, 1, "sys.rename"), *to = luaL_checkstring(L, 2);
  if (rename(from, to) != 0) return push_failure(L, to, errno);
  lua_pushboolean(L, 1);
  return 1;
}

/* Makes the one folder; that it is there already is no error. 0, or errno. */
static int make_folder(const char *path) {
  struct stat s;
  if (mkdir(path, 0777) == 0) return 0;
  int code = errno;
  return code == EEXIST && stat(path, &s) == 0 && S_ISDIR(s.st_mode) ? 0 : code;
}

/* sys.mkdir(path): the folder and those above it. true (also when it was there); nil, message. */
static int l_mkdir(lua_State *L) {
  const char *path = check_path(L, 1, "sys.mkdir");
  size_t length = strlen(path);
  for (size_t i = 1; i <= length; i++) {
    if (i < length && path[i] != '/') continue;
    lua_pushlstring(L, path, i);
    const char *part = lua_tostring(L, -1);
    int code = make_folder(part);
    if (code) return push_failure(L, part, code);
    lua_pop(L, 1);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* Closes the folder of l_listdir, once: a userdata's __gc and __close. */
static int l_folder_close(lua_State *L) {
  DIR **folder = lua_touserdata(L, 1);
  if (*folder) closedir(*folder);
  *folder = NULL;
  return 0;
}

static DIR **new_folder(lua_State *L) {
  DIR **folder = lua_newuserdatauv(L, sizeof *folder, 0);
  *folder = NULL;
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, l_folder_close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, l_folder_close);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  lua_toclose(L, -1);
  return folder;
}

/* sys.listdir(path): the names in a folder, in no order, without "." and ".."; or nil, message. */
static int l_listdir(lua_State *L) {
  const char *path = check_path(L, 1, "sys.listdir");
  DIR **folder = new_folder(L);
  *folder = opendir(path);
  if (!*folder) return push_failure(L, path, errno);
  lua_newtable(L);
  lua_Integer n = 0;
  for (struct dirent *entry; (entry = readdir(*folder));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* Writes all bytes and sends them to the disk. 0, or errno. Closes the descriptor. */
static int write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    data += n;
    size -= (size_t)n;
  }
  int code = size > 0 || fsync(fd) != 0 ? errno : 0;
  if (close(fd) != 0 && !code) code = errno;
  return code;
}

/* Sends the folder that holds `path` to the disk; file systems that cannot are left in peace. */
static void flush_folder(lua_State *L, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = !slash ? "." : slash == path ? "/"
                   : lua_pushlstring(L, path, (size_t)(slash - path));
  int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

/* Makes a new file beside `path`, with its rights where it exists. The descriptor, -1 (errno). */
static int open_beside(const char *path, char *beside, size_t size) {
  struct stat s;
  int fd = -1;
  for (int n = 0; fd < 0 && n < 100; n++) {
    snprintf(beside, size, "%s.%ld-%d.tmp", path, (long)getpid(), n);
    fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd >= 0 && stat(path, &s) == 0) (void)fchmod(fd, s.st_mode & 0777);
  return fd;
}

/* sys.fsync_write(path, text): the whole file at once, or not at all. true; nil and a message. */
static int l_fsync_write(lua_State *L) {
  size_t size;
  const char *path = check_path(L, 1, "sys.fsync_write");
  const char *text = luaL_checklstring(L, 2, &size);
  size_t room = strlen(path) + 48;
  char *beside = lua_newuserdatauv(L, room, 0);
  int fd = open_beside(path, beside, room);
  if (fd < 0) return push_failure(L, path, errno);
  int code = write_all(fd, text, size);
  if (!code && rename(beside, path) != 0) code = errno;
  if (code) {
    unlink(beside);
    return push_failure(L, path, code);
  }
  flush_folder(L, path);
  lua_pushboolean(L, 1);
  return 1;
}

/* sys.read(path, limits): the bytes of a regular file; raises what is wrong with it. */
static int l_read(lua_State *L) {
  nnl_context *c = nnl_context_get(L);
  const char *path = check_path(L, 1, "sys.read");
  nn_limits limits = nnl_limits(L, 2);
  nnl_block *b = nnl_push_block(L, c);
  nnl_check(L, nn_file_load(&c->alloc, path, &limits, &b->bytes, &b->n, &c->error), &c->error);
  lua_pushlstring(L, (const char *)b->bytes, b->n);
  nn_mem_free(b->alloc, b->bytes);
  b->bytes = NULL;
  return 1;
}

void l_sys_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"clock", l_clock},       {"isatty", l_isatty}, {"columns", l_columns},
      {"exists", l_exists},     {"stamp", l_stamp},   {"read", l_read},
      {"rename", l_rename},     {"mkdir", l_mkdir},
      {"listdir", l_listdir},   {"fsync_write", l_fsync_write},
      {NULL, NULL}};
  luaL_newlib(L, functions);
}
