#include "io/onnx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"
#include "io/onnx_file.h"

/* ---- errors and memory ---- */

nn_status onnx_fail(nn_onnx *f, const char *fmt, ...) {
  char text[300];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  return nn_fail(f->e, NN_ERR_FORMAT, "%.200s: ONNX: %s", f->name, text);
}

nn_status onnx_limit(nn_onnx *f, const char *what) {
  return nn_fail(f->e, NN_ERR_LIMIT, "%.200s: ONNX: more %s than the limit allows", f->name, what);
}

nn_status onnx_grow(nn_onnx *f, void *array, size_t count, size_t *room, size_t size) {
  void **p = array;
  if (f->items++ >= f->limits.tensors) return onnx_limit(f, "nodes, tensors and names");
  if (count < *room) return NN_OK;
  size_t want = *room ? nn_size_mul(*room, 2) : 16;
  void *bigger = nn_mem_resize(f->alloc, *p, nn_size_mul(want, size));
  if (!bigger) return nn_fail(f->e, NN_ERR_MEMORY, "%.200s: out of memory", f->name);
  *p = bigger;
  *room = want;
  return NN_OK;
}

/* ---- fields ---- */

nn_status onnx_next(nn_onnx *f, nn_pb *m, nn_pb_field *d) {
  const uint8_t *at = m->at;
  const char *problem = nn_pb_next(m, d);
  return problem ? onnx_fail(f, "byte %zu: %s", (size_t)(at - f->bytes), problem) : NN_OK;
}

nn_status onnx_want(nn_onnx *f, const nn_pb_field *d, nn_pb_wire wire) {
  if (d->wire == wire) return NN_OK;
  return onnx_fail(f, "field %u is of another kind than it should be", (unsigned)d->number);
}

nn_status onnx_inside(nn_onnx *f, const nn_pb_field *d, nn_pb *m) {
  *m = d->bytes;
  nn_status st = onnx_want(f, d, NN_PB_BYTES);
  return !st && m->depth > f->limits.depth ? onnx_limit(f, "messages inside messages") : st;
}

nn_status onnx_text(nn_onnx *f, const nn_pb_field *d, nn_onnx_text *out) {
  nn_status st = onnx_want(f, d, NN_PB_BYTES);
  if (st) return st;
  const char *p = (const char *)d->bytes.at, *end = (const char *)d->bytes.end;
  *out = (nn_onnx_text){p, (size_t)(end - p)};
  while (p < end) {
    uint32_t code = 0;
    int n = *p ? nn_utf8_decode(p, end, &code) : 0;
    if (n == 0) return onnx_fail(f, "a name is not UTF-8");
    p += n;
  }
  return NN_OK;
}

/* ---- attributes ---- */

/* By AttributeProto.AttributeType. */
static const nn_onnx_kind KINDS[] = {[1] = NN_ONNX_FLOAT,
                                     [2] = NN_ONNX_INTEGER,
                                     [3] = NN_ONNX_TEXT,
                                     [4] = NN_ONNX_TENSOR,
                                     [7] = NN_ONNX_INTEGERS,
                                     [14] = NN_ONNX_NONE};

static nn_status integer_add(nn_onnx *f, nn_onnx_attribute *a, uint64_t v) {
  nn_status st = onnx_grow(f, &f->integer, f->integers, &f->integer_room, sizeof *f->integer);
  if (st) return st;
  memcpy(&f->integer[f->integers++], &v, sizeof v);
  a->count++;
  return NN_OK;
}

static nn_status integers_add(nn_onnx *f, nn_onnx_attribute *a, const nn_pb_field *d) {
  nn_pb m = d->bytes;
  if (d->wire == NN_PB_VARINT) return integer_add(f, a, d->value);
  nn_status st = onnx_want(f, d, NN_PB_BYTES);
  while (!st && nn_pb_left(&m)) {
    uint64_t v;
    const char *problem = nn_pb_varint(&m, &v);
    st = problem ? onnx_fail(f, "an attribute: %s", problem) : integer_add(f, a, v);
  }
  return st;
}

static nn_status number_take(nn_onnx *f, const nn_pb_field *d, float *out) {
  nn_error e;
  nn_element_type type = {NN_ELEMENT_F32, 0};
  nn_status st = onnx_want(f, d, NN_PB_FIXED32);
  return st ? st : nn_elements_read(out, NN_F32, d->bytes.at, type, 1, &e);
}

/* `kind` is what the field says, `type` what the file says. */
static nn_status attribute_field(nn_onnx *f, const nn_pb_field *d, nn_onnx_attribute *a,
                                 nn_onnx_kind *kind, uint64_t *type) {
  nn_status st = NN_OK;
  nn_pb m;
  switch (d->number) {
    case 1: return onnx_text(f, d, &a->name);
    case 2:
      *kind = NN_ONNX_FLOAT;
      return number_take(f, d, &a->number);
    case 3:
      *kind = NN_ONNX_INTEGER;
      memcpy(&a->integer, &d->value, sizeof a->integer);
      return onnx_want(f, d, NN_PB_VARINT);
    case 4:
      *kind = NN_ONNX_TEXT;
      a->text = (nn_onnx_text){(const char *)d->bytes.at, nn_pb_left(&d->bytes)};
      return onnx_want(f, d, NN_PB_BYTES);
    case 5:
      if (*kind == NN_ONNX_TENSOR) return onnx_fail(f, "an attribute holds two tensors");
      *kind = NN_ONNX_TENSOR;
      st = onnx_inside(f, d, &m);
      return st ? st : onnx_tensor(f, m, &a->tensor);
    case 6: case 11: return onnx_fail(f, "graphs inside nodes are not supported");
    case 8:
      *kind = NN_ONNX_INTEGERS;
      return integers_add(f, a, d);
    case 10: return onnx_fail(f, "lists of tensors in attributes are not supported");
    case 20:
      *type = d->value;
      return onnx_want(f, d, NN_PB_VARINT);
    case 22: case 23: return onnx_fail(f, "sparse tensors are not supported");
    default: return NN_OK;
  }
}

static nn_status attribute(nn_onnx *f, nn_pb m) {
  nn_onnx_attribute a;
  nn_onnx_kind kind = NN_ONNX_NONE;
  nn_pb_field d;
  nn_status st;
  uint64_t type = 0;
  memset(&a, 0, sizeof a);
  a.first = f->integers;
  while (!(st = onnx_next(f, &m, &d)) && d.number)
    if ((st = attribute_field(f, &d, &a, &kind, &type))) return st;
  if (st) return st;
  if (type >= sizeof KINDS / sizeof *KINDS) return onnx_fail(f, "an attribute of unknown type");
  a.kind = type ? KINDS[type] : kind; /* a zero may stand for itself by being absent */
  if (a.kind != kind && (a.kind == NN_ONNX_TENSOR || (kind != NN_ONNX_NONE && a.kind)))
    return onnx_fail(f, "an attribute's type and value disagree");
  st = onnx_grow(f, &f->attribute, f->attributes, &f->attribute_room, sizeof a);
  if (!st) f->attribute[f->attributes++] = a;
  return st;
}

/* ---- nodes and values ---- */

/* One walk for each of a node's lists, so that each stands in a row. */
static nn_status texts(nn_onnx *f, nn_pb m, uint32_t number, size_t *first, size_t *count) {
  nn_pb_field d;
  nn_status st;
  *first = f->texts;
  while (!(st = onnx_next(f, &m, &d)) && d.number) {
    nn_onnx_text t;
    if (d.number != number) continue;
    if ((st = onnx_text(f, &d, &t))) break;
    if ((st = onnx_grow(f, &f->text, f->texts, &f->text_room, sizeof t))) break;
    f->text[f->texts++] = t;
  }
  *count = f->texts - *first;
  return st;
}

static nn_status node_field(nn_onnx *f, const nn_pb_field *d, nn_onnx_node *n) {
  nn_pb m;
  nn_status st;
  switch (d->number) {
    case 3: return onnx_text(f, d, &n->name);
    case 4: return onnx_text(f, d, &n->op);
    case 5:
      st = onnx_inside(f, d, &m);
      return st ? st : attribute(f, m);
    case 7: return onnx_text(f, d, &n->domain);
    default: return NN_OK;
  }
}

static nn_status node(nn_onnx *f, nn_pb m) {
  nn_onnx_node n;
  nn_pb_field d;
  memset(&n, 0, sizeof n);
  n.attribute = f->attributes;
  nn_status st = texts(f, m, 1, &n.input, &n.inputs);
  if (!st) st = texts(f, m, 2, &n.output, &n.outputs);
  while (!st && !(st = onnx_next(f, &m, &d)) && d.number) st = node_field(f, &d, &n);
  n.attributes = f->attributes - n.attribute;
  if (!st) st = onnx_grow(f, &f->node, f->nodes, &f->node_room, sizeof n);
  if (!st) f->node[f->nodes++] = n;
  return st;
}

/* The one message inside m that has this number: 1 and its bytes in *out, 0 where there is none. */
static nn_status inner(nn_onnx *f, nn_pb m, uint32_t number, nn_pb *out, int *there) {
  nn_pb_field d;
  nn_status st;
  *there = 0;
  while (!(st = onnx_next(f, &m, &d)) && d.number) {
    if (d.number != number) continue;
    if (*there) return onnx_fail(f, "field %u stands twice", (unsigned)number);
    if ((st = onnx_inside(f, &d, out))) return st;
    *there = 1;
  }
  return st;
}

static nn_status dimension(nn_onnx *f, nn_pb m, nn_onnx_value *v) {
  nn_pb_field d;
  nn_status st;
  if (v->ndim == NN_MAX_DIMS) return onnx_fail(f, "a value has more than 8 dimensions");
  int64_t *size = &v->dim[v->ndim++];
  *size = -1;
  while (!(st = onnx_next(f, &m, &d)) && d.number) {
    if (d.number != 1) continue;
    if ((st = onnx_want(f, &d, NN_PB_VARINT))) break;
    if (d.value > INT64_MAX) return onnx_fail(f, "a value has a negative dimension");
    *size = (int64_t)d.value;
  }
  return st;
}

/* value > type (2) > of a tensor (1) > shape (2) > dimensions (1) */
static nn_status value(nn_onnx *f, nn_pb m, nn_onnx_value *v) {
  static const uint32_t path[] = {2, 1, 2};
  nn_pb_field d;
  nn_pb walk = m;
  nn_status st;
  memset(v, 0, sizeof *v);
  v->name.bytes = "";
  while (!(st = onnx_next(f, &walk, &d)) && d.number)
    if (d.number == 1 && (st = onnx_text(f, &d, &v->name))) break;
  for (int i = 0, there = 1; i < 3 && !st; i++) {
    st = inner(f, m, path[i], &m, &there);
    if (!st && !there) return NN_OK;
  }
  v->has_shape = 1;
  while (!st && !(st = onnx_next(f, &m, &d)) && d.number)
    if (d.number == 1 && !(st = onnx_inside(f, &d, &walk))) st = dimension(f, walk, v);
  return st;
}

/* ---- the graph ---- */

static nn_status graph_field(nn_onnx *f, const nn_pb_field *d) {
  nn_pb m;
  nn_status st = onnx_inside(f, d, &m);
  if (st) return st;
  if (d->number == 1) return node(f, m);
  if (d->number == 5) {
    st = onnx_grow(f, &f->tensor, f->tensors, &f->tensor_room, sizeof *f->tensor);
    return st ? st : onnx_tensor(f, m, &f->tensor[f->tensors++]);
  }
  if (d->number == 11) {
    st = onnx_grow(f, &f->input, f->inputs, &f->input_room, sizeof *f->input);
    return st ? st : value(f, m, &f->input[f->inputs++]);
  }
  st = onnx_grow(f, &f->output, f->outputs, &f->output_room, sizeof *f->output);
  return st ? st : value(f, m, &f->output[f->outputs++]);
}

static nn_status graph(nn_onnx *f, nn_pb m) {
  nn_pb_field d;
  nn_status st;
  while (!(st = onnx_next(f, &m, &d)) && d.number) {
    if (d.number == 15) return onnx_fail(f, "sparse tensors are not supported");
    if (d.number != 1 && d.number != 5 && d.number != 11 && d.number != 12) continue;
    if ((st = graph_field(f, &d))) break;
  }
  return st;
}

static int text_compare(const void *a, const void *b) {
  const nn_onnx_text *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  int c = n ? memcmp(x->bytes, y->bytes, n) : 0;
  return c ? c : (x->n > y->n) - (x->n < y->n);
}

static nn_status names_check(nn_onnx *f) {
  nn_onnx_text *list = nn_mem_new(f->alloc, nn_size_mul(f->tensors, sizeof *list));
  nn_status st = NN_OK;
  if (!list) return nn_fail(f->e, NN_ERR_MEMORY, "%.200s: out of memory", f->name);
  for (size_t i = 0; i < f->tensors; i++) list[i] = f->tensor[i].name;
  qsort(list, f->tensors, sizeof *list, text_compare);
  for (size_t i = 1; i < f->tensors && !st; i++)
    if (text_compare(&list[i - 1], &list[i]) == 0)
      st = onnx_fail(f, "two tensors are named '%.*s'", (int)(list[i].n < 80 ? list[i].n : 80),
                     list[i].bytes);
  nn_mem_free(f->alloc, list);
  return st;
}

static nn_status model(nn_onnx *f, nn_pb m) {
  nn_pb inside;
  int there;
  nn_status st = inner(f, m, 7, &inside, &there);
  if (!st && !there) st = onnx_fail(f, "the file holds no graph");
  if (!st) st = graph(f, inside);
  return st ? st : names_check(f);
}

nn_status nn_onnx_open(nn_onnx *f, nn_alloc *a, const char *name, const void *bytes, size_t n,
                       const nn_limits *limits, nn_error *e) {
  nn_error own;
  size_t length = strlen(name);
  memset(f, 0, sizeof *f);
  f->name = nn_mem_new(a, length + 1);
  if (!f->name) return nn_fail(e, NN_ERR_MEMORY, "%.200s: out of memory", name);
  memcpy(f->name, name, length);
  f->alloc = a, f->bytes = bytes;
  f->limits = nn_limits_of(limits);
  f->e = e ? e : &own;
  nn_pb m = {bytes, f->bytes + n, 0};
  nn_status st = n > f->limits.bytes ? onnx_limit(f, "bytes in the file") : model(f, m);
  f->e = NULL;
  if (st) nn_onnx_close(f);
  return st;
}

void nn_onnx_close(nn_onnx *f) {
  nn_alloc *a = f->alloc;
  if (!a) return;
  nn_mem_free(a, f->node);
  nn_mem_free(a, f->tensor);
  nn_mem_free(a, f->input);
  nn_mem_free(a, f->output);
  nn_mem_free(a, f->text);
  nn_mem_free(a, f->attribute);
  nn_mem_free(a, f->integer);
  nn_mem_free(a, f->name);
  memset(f, 0, sizeof *f);
}
