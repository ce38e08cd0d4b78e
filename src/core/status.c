#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

nn_status(nn_fail)(nn_error *e, nn_status code, const char *fmt, ...) {
  if (e) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->code = code;
  }
  return code;
}

nn_status nn_fail_in(nn_error *e, const char *fmt, ...) {
  char old[sizeof e->text], prefix[160];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(prefix, sizeof prefix, fmt, ap);
  va_end(ap);
  memcpy(old, e->text, sizeof old);
  snprintf(e->text, sizeof e->text, "%s: %.*s", prefix, (int)(sizeof e->text - 170), old);
  return e->code;
}
