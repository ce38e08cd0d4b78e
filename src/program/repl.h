/* The dialogue at a terminal. */
#ifndef NN_PROGRAM_REPL_H
#define NN_PROGRAM_REPL_H

#include "nnlua.h"

/* Runs a call with Ctrl-C pointed at the state; prints its error. main.c has it. */
typedef nnlua_status (*repl_evaluate)(nnlua_state *s, const char *text);

/* Reads, evaluates and prints until the input ends. */
void repl_run(nnlua_state *s, repl_evaluate evaluate);

#endif
