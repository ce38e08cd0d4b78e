/* Turns Lua files into one C table, on standard output.
 *
 *     embed ROOT FILE...      ROOT/nnlua/layers/dense.lua becomes module nnlua.layers.dense
 *
 * An `init.lua` stands for its folder. Files come sorted from the caller and are sorted again here
 * by module name, so that the library can search by halves.
 *
 * Bytecode stands beside each source: it loads several times faster, and fits one release of Lua
 * only, so the release stands in the table and other releases load the source.
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
  char module[256]; /* nnlua.layers.dense */
  const char *path; /* as given */
  const char *name; /* the path below ROOT: nnlua/layers/dense.lua */
} source;

static void die(const char *what, const char *path) {
  fprintf(stderr, "embed: %s: %s\n", what, path);
  exit(1);
}

/* nnlua/layers/dense.lua -> nnlua.layers.dense, nnlua/init.lua -> nnlua. */
static void name_module(source *s) {
  size_t n = strlen(s->name);
  if (n < 5 || n >= sizeof s->module || strcmp(s->name + n - 4, ".lua") != 0)
    die("not a Lua file (or a very long name)", s->path);
  memcpy(s->module, s->name, n - 4);
  s->module[n - 4] = '\0';
  for (char *c = s->module; *c; c++)
    if (*c == '/') *c = '.';
  n = strlen(s->module);
  if (n > 5 && strcmp(s->module + n - 5, ".init") == 0) s->module[n - 5] = '\0';
}

static int by_module(const void *a, const void *b) {
  return strcmp(((const source *)a)->module, ((const source *)b)->module);
}

static void put_byte(int c) {
  if (c == '\n') fputs("\\n\"\n\"", stdout);
  else if (c == '"' || c == '\\') printf("\\%c", c);
  else if (c < 32 || c > 126 || c == '?') printf("\\%03o", c);
  else putchar(c);
}

static size_t put_text(const source *s, size_t index) {
  FILE *f = fopen(s->path, "rb");
  if (!f) die("cannot open", s->path);
  size_t n = 0;
  printf("static const char text_%zu[] =\n\"", index);
  for (int c; (c = getc(f)) != EOF; n++) put_byte(c);
  puts("\";");
  fclose(f);
  return n;
}

static int put_code(lua_State *L, const void *bytes, size_t n, void *total) {
  (void)L;
  const unsigned char *code = bytes;
  for (size_t i = 0; i < n; i++) printf("%u,%s", code[i], i % 64 ? "" : "\n");
  *(size_t *)total += n;
  return 0;
}

/* Compiles a file under its chunk name; the debug information stays. */
static size_t put_bytecode(lua_State *L, const source *s, size_t index) {
  char chunk[300];
  size_t size = 0, n = 0;
  static char text[1 << 20];
  FILE *f = fopen(s->path, "rb");
  if (!f) die("cannot open", s->path);
  n = fread(text, 1, sizeof text, f);
  fclose(f);
  snprintf(chunk, sizeof chunk, "@%s", s->name);
  if (n == sizeof text || luaL_loadbufferx(L, text, n, chunk, "t") != LUA_OK)
    die(n == sizeof text ? "too long" : lua_tostring(L, -1), s->path);
  printf("static const unsigned char code_%zu[] = {", index);
  lua_dump(L, put_code, &size, 0);
  puts("0};");
  lua_settop(L, 0);
  return size;
}

int main(int argc, char **argv) {
  if (argc < 2) die("usage", "embed ROOT FILE...");
  size_t count = (size_t)argc - 2, root = strlen(argv[1]);
  source *list = calloc(count + 1, sizeof *list);
  size_t *size = calloc(count + 1, sizeof *size), *code = calloc(count + 1, sizeof *code);
  lua_State *L = luaL_newstate();
  if (!list || !size || !code || !L) die("no memory", argv[1]);
  for (size_t i = 0; i < count; i++) {
    list[i].path = argv[i + 2];
    if (strncmp(list[i].path, argv[1], root) != 0 || list[i].path[root] != '/')
      die("not below the root folder", list[i].path);
    list[i].name = list[i].path + root + 1;
    name_module(&list[i]);
  }
  qsort(list, count, sizeof *list, by_module);
  puts("/* Made by tools/embed.c from lua/. */\n#include \"host/embedded.h\"\n");
  for (size_t i = 0; i < count; i++) {
    size[i] = put_text(&list[i], i);
    code[i] = put_bytecode(L, &list[i], i);
  }
  printf("const char nn_embedded_release[] = \"%s\";\n", LUA_RELEASE);
  puts("\nconst nn_embedded nn_embedded_modules[] = {");
  for (size_t i = 0; i < count; i++)
    printf("  {\"%s\", \"@%s\", text_%zu, %zu, code_%zu, %zu},\n", list[i].module, list[i].name, i,
           size[i], i, code[i]);
  printf("  {0, 0, 0, 0, 0, 0}};\nconst size_t nn_embedded_count = %zu;\n", count);
  free(list);
  free(size);
  free(code);
  lua_close(L);
  return 0;
}
