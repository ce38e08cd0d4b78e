/* Reading a line from a person, with editing and history where the machine has a library for it. */
#ifndef NN_PROGRAM_EDIT_H
#define NN_PROGRAM_EDIT_H

typedef struct edit_session {
  void *library;                     /* borrowed, NULL: plain reading */
  char *(*read)(const char *prompt); /* the library's readline */
  int (*remember)(const char *line);
  int (*write_history)(const char *path);
  char history[1024];                /* the history's file, "" for none */
} edit_session;

void edit_open(edit_session *e);
void edit_close(edit_session *e); /* writes the history */

/* A line without its end of line, to be freed; NULL at the end of the input. */
char *edit_read(edit_session *e, const char *prompt);
void edit_remember(edit_session *e, const char *line);

#endif
