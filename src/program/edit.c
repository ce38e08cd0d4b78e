/* libedit, else readline, loaded when a dialogue starts: neither is needed to build or to run, and
 * a script does not pay for them.
 */
#include "program/edit.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *open_library(void) {
  static const char *const names[] = {"libedit.so.2",      "libedit.so.0",      "libedit.so",
                                      "libedit.3.dylib",   "libreadline.so.8",  "libreadline.so.7",
                                      "libreadline.so"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
  }
  return NULL;
}

static void open_history(edit_session *e) {
  const char *home = getenv("HOME");
  int (*read_history)(const char *) = NULL;
  *(void **)&read_history = dlsym(e->library, "read_history");
  if (!home || !read_history || !e->write_history) return;
  int n = snprintf(e->history, sizeof e->history, "%s/.nnlua_history", home);
  if (n < 0 || (size_t)n >= sizeof e->history) e->history[0] = '\0';
  else read_history(e->history);
}

void edit_open(edit_session *e) {
  *e = (edit_session){0};
  if (!isatty(STDIN_FILENO)) return;
  setlocale(LC_CTYPE, ""); /* the terminal's encoding, for the library's cursor */
  e->library = open_library();
  if (!e->library) return;
  *(void **)&e->read = dlsym(e->library, "readline");
  *(void **)&e->remember = dlsym(e->library, "add_history");
  *(void **)&e->write_history = dlsym(e->library, "write_history");
  void (*using_history)(void) = NULL;
  *(void **)&using_history = dlsym(e->library, "using_history");
  if (using_history) using_history();
  open_history(e);
}

/* The library stays loaded: it keeps memory of its own until the process ends. */
void edit_close(edit_session *e) {
  if (e->history[0]) e->write_history(e->history);
  *e = (edit_session){0};
}

/* getline without the library. */
static char *read_plain(const char *prompt) {
  char *line = NULL;
  size_t size = 0;
  fputs(prompt, stdout);
  fflush(stdout);
  ssize_t n = getline(&line, &size, stdin);
  if (n < 0) {
    free(line);
    return NULL;
  }
  if (n > 0 && line[n - 1] == '\n') line[n - 1] = '\0';
  return line;
}

char *edit_read(edit_session *e, const char *prompt) {
  return e->read ? e->read(prompt) : read_plain(prompt);
}

void edit_remember(edit_session *e, const char *line) {
  if (e->remember && line[0]) e->remember(line);
}
