/* The same bits from every set of kernels that this CPU has, with one thread and with three: the
 * trainings and computations of spec/bits/cases.lua. Their digests go to the file named by the
 * argument, for comparing machines. Runs in the project's folder.
 */
#include <lua.h>
#include <stdlib.h>

#include "core/kernels.h"
#include "nnlua.h"
#include "support/tap.h"

/* The lines "name digest" of all cases, to be freed. */
static char *digests(const char *kernels, int threads) {
  char *out = NULL;
  if (!nn_kernels_force(kernels)) return NULL;
  nnlua_state *s = nnlua_open(NULL);
  nnlua_set_number(s, "threads", threads);
  if (tap_ok(nnlua_dofile(s, "spec/bits/cases.lua", 0, NULL) == NNLUA_OK, "%s, %d threads: runs",
             kernels, threads)) {
    lua_getglobal(nnlua_lua(s), "report");
    out = strdup(lua_tostring(nnlua_lua(s), -1));
  } else {
    printf("# %s\n", nnlua_error(s));
  }
  nnlua_close(s);
  return out;
}

/* One check a line: the same name and digest in both. */
static void compare(const char *want, const char *got, const char *kernels, int threads) {
  while (*want && *got) {
    size_t n = strcspn(want, "\n"), m = strcspn(got, "\n"), name = strcspn(want, "\n");
    while (name > 0 && want[name] != ' ') name--;
    int is_error = strstr(want, "error: ") && strstr(want, "error: ") < want + n;
    tap_ok(n == m && memcmp(want, got, n) == 0 && !is_error, "%s, %d threads: %.*s", kernels,
           threads, (int)(is_error ? n : name), want);
    want += n + (want[n] == '\n'), got += m + (got[m] == '\n');
  }
  tap_ok(*want == 0 && *got == 0, "%s, %d threads: all cases", kernels, threads);
}

static void write_to(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  if (tap_ok(f != NULL, "%s opens", path)) {
    fputs(text, f);
    fclose(f);
  }
}

int main(int argc, char **argv) {
  static const char *const names[] = {"portable", "avx2", "avx512", "neon"};
  char *want = digests("portable", 1);
  if (want && argc > 1) write_to(argv[1], want);
  for (size_t i = 0; want && i < sizeof names / sizeof *names; i++)
    for (int threads = 1; threads <= 3; threads += 2) {
      char *got = digests(names[i], threads);
      if (got) compare(want, got, names[i], threads);
      free(got);
    }
  free(want);
  return tap_done();
}
