/* The program `nnlua`: what `lua` does, with `require "nnlua"` built in.
 *
 *     nnlua [options] [script [arguments]]
 *
 * Options, exit status, the table `arg`, LUA_INIT and the texts of errors are those of lua 5.4.
 * Beyond lua: `nnlua inspect FILE` and other words that name a command of the library, the global
 * `nn` in a dialogue, and Ctrl-C, which lets a running `fit` end after its step.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nnlua.h"
#include "program/repl.h"

typedef struct program {
  nnlua_state *state;
  const char *name;            /* what messages begin with; NULL in a dialogue */
  int argc;
  char **argv;
  int script;                  /* index of the script in argv; argc where there is none */
  int interactive, version, execute, ignore_environment;
  int warnings, warning_goes_on;
} program;

/* A signal handler gets no argument, so the state that runs is kept here, in the program alone. */
static nnlua_state *volatile running;

/* The first Ctrl-C is the script's; when it is still being answered, the second one ends us. */
static void on_signal(int number) {
  nnlua_state *s = running;
  if (s && nnlua_interrupt(s) >= 0) return;
  signal(number, SIG_DFL);
  raise(number);
}

static void begin_signals(nnlua_state *s) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  running = s;
  sigaction(SIGINT, &action, NULL);
}

static void end_signals(void) {
  signal(SIGINT, SIG_DFL);
  running = NULL;
}

/* Says what went wrong, as lua does: "nnlua: message and traceback". Returns 1 on success. */
static int report(const program *p, nnlua_status status) {
  if (status == NNLUA_OK) return 1;
  fflush(stdout);
  if (p->name) fprintf(stderr, "%s: ", p->name);
  fprintf(stderr, "%s\n", nnlua_error(p->state));
  fflush(stderr);
  return 0;
}

/* Lua's warnings: off until `-W` or warn("@on"). Pieces of one message come one by one. */
static void on_warning(void *data, const char *piece, int to_continue) {
  program *p = data;
  if (!p->warning_goes_on && !to_continue && piece[0] == '@') {
    if (strcmp(piece, "@on") == 0) p->warnings = 1;
    if (strcmp(piece, "@off") == 0) p->warnings = 0;
    return;
  }
  if (p->warnings)
    fprintf(stderr, "%s%s%s", p->warning_goes_on ? "" : "Lua warning: ", piece,
            to_continue ? "" : "\n");
  p->warning_goes_on = to_continue;
}

static int print_usage(const program *p, const char *bad) {
  fprintf(stderr, "%s: ", p->name);
  if (bad[1] == 'e' || bad[1] == 'l') fprintf(stderr, "'%s' needs argument\n", bad);
  else fprintf(stderr, "unrecognized option '%s'\n", bad);
  fprintf(stderr,
          "usage: %s [options] [script [args]]\n"
          "Available options are:\n"
          "  -e stat   execute string 'stat'\n"
          "  -i        enter interactive mode after executing 'script'\n"
          "  -l mod    require library 'mod' into global 'mod'\n"
          "  -l g=mod  require library 'mod' into global 'g'\n"
          "  -v        show version information\n"
          "  -E        ignore environment variables\n"
          "  -W        turn warnings on\n"
          "  --        stop handling options\n"
          "  -         stop handling options and execute stdin\n"
          "A script named 'inspect' that is no file: 'inspect FILE' describes a saved model.\n",
          p->name);
  return 0;
}

/* Reads the option argv[i]; 0 where it is wrong. *i moves on over an option's argument. */
static int read_option(program *p, int *i) {
  const char *option = p->argv[*i];
  switch (option[1]) {
    case 'E': p->ignore_environment = 1; return option[2] == '\0';
    case 'W': return option[2] == '\0';
    case 'i': p->interactive = p->version = 1; return option[2] == '\0';
    case 'v': p->version = 1; return option[2] == '\0';
    case 'e': p->execute = 1; break;
    case 'l': break;
    default: return 0;
  }
  if (option[2] != '\0') return 1;
  return ++*i < p->argc && p->argv[*i][0] != '-';
}

/* Finds the options and the script. 0: wrong options, and the usage was printed. */
static int read_options(program *p) {
  int i = 1;
  for (; i < p->argc && p->argv[i][0] == '-' && p->argv[i][1] != '\0'; i++) {
    int at = i;
    if (strcmp(p->argv[i], "--") == 0) {
      i++;
      break;
    }
    if (!read_option(p, &i)) return print_usage(p, p->argv[at]);
  }
  p->script = i;
  return 1;
}

/* Evaluates under our Ctrl-C. */
static int run_string(program *p, const char *code, const char *name) {
  begin_signals(p->state);
  nnlua_status status = nnlua_dostring(p->state, code, name);
  end_signals();
  return report(p, status);
}

static int run_file(program *p, const char *path, int argc, char **argv) {
  begin_signals(p->state);
  nnlua_status status = nnlua_dofile(p->state, path, argc, argv);
  end_signals();
  return report(p, status);
}

/* -l mod, -l g=mod; a version after a hyphen is not part of the global's name. */
static int run_library(program *p, const char *text) {
  char global[256];
  const char *equals = strchr(text, '='), *module = equals ? equals + 1 : text;
  size_t n = equals ? (size_t)(equals - text) : strcspn(text, "-");
  if (n >= sizeof global) n = sizeof global - 1;
  memcpy(global, text, n);
  global[n] = '\0';
  begin_signals(p->state);
  nnlua_status status = nnlua_require(p->state, module, global);
  end_signals();
  return report(p, status);
}

/* -e, -l and -W in their order; the script's own come after it and are not looked at. */
static int run_options(program *p) {
  for (int i = 1; i < p->script; i++) {
    char kind = p->argv[i][1];
    if (kind == 'W') p->warnings = 1;
    if (kind != 'e' && kind != 'l') continue;
    const char *text = p->argv[i][2] ? p->argv[i] + 2 : p->argv[++i];
    if (!(kind == 'e' ? run_string(p, text, "=(command line)") : run_library(p, text))) return 0;
  }
  return 1;
}

/* LUA_INIT_5_4, else LUA_INIT: code, or @file. */
static int run_init(program *p) {
  const char *name = "LUA_INIT_5_4", *init = getenv(name);
  char chunk[32];
  if (!init) init = getenv(name = "LUA_INIT");
  if (!init || p->ignore_environment) return 1;
  if (init[0] == '@') return run_file(p, init + 1, 0, NULL);
  snprintf(chunk, sizeof chunk, "=%s", name);
  return run_string(p, init, chunk);
}

/* `nnlua inspect ...` where no file is called inspect: the library's module nnlua.inspect. */
static int is_command(const char *script) {
  return strcmp(script, "inspect") == 0 && access(script, F_OK) != 0;
}

static int run_script(program *p) {
  char **argv = p->argv + p->script;
  int n = p->argc - p->script - 1;
  if (is_command(argv[0]))
    return run_string(p, "os.exit(require('nnlua.inspect').main(arg), true)", "=nnlua");
  int standard_input = strcmp(argv[0], "-") == 0 && strcmp(argv[-1], "--") != 0;
  return run_file(p, standard_input ? NULL : argv[0], n, argv + 1);
}

static nnlua_status evaluate_line(nnlua_state *s, const char *text) {
  begin_signals(s);
  nnlua_status status = nnlua_eval(s, text);
  end_signals();
  if (status != NNLUA_OK && status != NNLUA_INCOMPLETE) fprintf(stderr, "%s\n", nnlua_error(s));
  return status;
}

static void run_dialogue(program *p) {
  p->name = NULL;
  run_string(p, "if nn == nil then nn = require 'nnlua' end", "=nnlua");
  repl_run(p->state, evaluate_line);
}

/* "nnlua 0.1.0, Lua 5.4.4, kernels avx2, products native avx2". */
static int print_version(program *p) {
  return run_string(p, "print(require('nnlua.core').about())", "=nnlua");
}

static int run(program *p) {
  int has_script = p->script < p->argc;
  if (report(p, nnlua_set_arg(p->state, p->argc, p->argv, has_script ? p->script : 0)) == 0)
    return 0;
  if (p->version && !print_version(p)) return 0;
  if (!run_init(p) || !run_options(p)) return 0;
  if (has_script && !run_script(p)) return 0;
  if (p->interactive) run_dialogue(p);
  else if (!has_script && !p->execute && !p->version) {
    if (!isatty(STDIN_FILENO)) return run_file(p, NULL, 0, NULL);
    if (!print_version(p)) return 0;
    run_dialogue(p);
  }
  return 1;
}

int main(int argc, char **argv) {
  program p = {.argc = argc, .argv = argv, .name = argc && argv[0][0] ? argv[0] : "nnlua"};
  if (!read_options(&p)) return EXIT_FAILURE;
  nnlua_options options = {
      .warn = on_warning, .warn_data = &p, .ignore_environment = p.ignore_environment};
  p.state = nnlua_open(&options);
  if (!p.state) {
    fprintf(stderr, "%s: cannot create state: not enough memory\n", p.name);
    return EXIT_FAILURE;
  }
  int ok = run(&p);
  nnlua_close(p.state);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
