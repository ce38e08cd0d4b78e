/* Columns of tables as userdata: their cells lie behind the header, so the collector sees their
 * true size. A column of text holds codes; its texts are a list in user value 1.
 */
#ifndef NN_LUA_COLUMN_H
#define NN_LUA_COLUMN_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

typedef struct nnl_column {
  size_t rows;
  int text;       /* 1: `code`, else `number` */
  double *number; /* NaN where missing */
  int32_t *code;  /* the text's place in the list, from 1; 0 where missing */
} nnl_column;

/* A new column of missing cells, pushed. A column of text still wants its list as user value 1. */
nnl_column *nnl_push_column(lua_State *L, size_t rows, int text);
nnl_column *nnl_check_column(lua_State *L, int i); /* raises */

/* Adds the table `column` to the table on the top of the stack. */
void l_column_open(lua_State *L);

#endif
