/* Checks for C tests; each prints one TAP line. `return tap_done();` ends main.
 *
 *     tap_ok(x > 0, "x is positive");
 *     tap_same("text", text, "the text");
 *     tap_near(0.5, y, 1e-6, "the mean");
 */
#ifndef NN_SPEC_TAP_H
#define NN_SPEC_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failures;

/* Prints "ok 3 - what" or "not ok 3 - what"; returns `condition`. */
__attribute__((format(printf, 2, 3))) static inline int tap_ok(int condition, const char *what,
                                                               ...) {
  va_list arguments;
  printf("%sok %d - ", condition ? "" : "not ", ++tap_count);
  va_start(arguments, what);
  vprintf(what, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
  if (!condition) tap_failures++;
  return condition;
}

static inline int tap_same(const char *wanted, const char *got, const char *what) {
  int same = got && strcmp(wanted, got) == 0;
  tap_ok(same, "%s", what);
  if (!same) printf("# wanted: %s\n#    got: %s\n", wanted, got ? got : "(null)");
  return same;
}

static inline int tap_near(double wanted, double got, double tolerance, const char *what) {
  int near = fabs(wanted - got) <= tolerance;
  tap_ok(near, "%s", what);
  if (!near) printf("# wanted: %.17g within %g\n#    got: %.17g\n", wanted, tolerance, got);
  return near;
}

/* The plan line; the exit status of the test. */
static inline int tap_done(void) {
  printf("1..%d\n", tap_count);
  return tap_failures ? 1 : 0;
}

#endif
