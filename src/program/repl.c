/* A line is evaluated as soon as it makes a whole statement; until then the prompt is ">> ". Values
 * of expressions are printed. A statement over several lines is one entry of the history.
 */
#include "program/repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/edit.h"

/* a, newline, b: a new block; both are freed. NULL where there is no memory. */
static char *join_lines(char *a, char *b) {
  size_t na = strlen(a), nb = strlen(b);
  char *both = malloc(na + nb + 2);
  if (both) {
    memcpy(both, a, na);
    both[na] = '\n';
    memcpy(both + na + 1, b, nb + 1);
  }
  free(a);
  free(b);
  return both;
}

/* One statement: reads on while it is incomplete. 0 at the end of the input. */
static int read_statement(nnlua_state *s, edit_session *e, repl_evaluate evaluate) {
  char *text = edit_read(e, "> ");
  if (!text) return 0;
  while (text && evaluate(s, text) == NNLUA_INCOMPLETE) {
    char *more = edit_read(e, ">> ");
    if (!more) break;
    text = join_lines(text, more);
  }
  if (text) edit_remember(e, text);
  free(text);
  return 1;
}

void repl_run(nnlua_state *s, repl_evaluate evaluate) {
  edit_session e;
  edit_open(&e);
  while (read_statement(s, &e, evaluate)) {
  }
  edit_close(&e);
  putchar('\n');
  fflush(stdout);
}
