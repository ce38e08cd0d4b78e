/* Messages of object headers: those that describe what Keras writes are read, those that change
 * nothing for a reader are passed over, all others are errors. */
#include <string.h>

#include "io/hdf5_file.h"

static nn_status layout_chunks(nn_hdf5 *f, h5_cursor *c, h5_layout *l) {
  l->rank = (int)h5_take(c, 1);
  l->at = h5_take(c, 8);
  if (l->rank < 2 || l->rank > NN_MAX_DIMS + 1)
    return h5_fail(f, "chunks of %d dimensions are not possible", l->rank - 1);
  for (int i = 0; i < l->rank; i++) l->dim[i] = h5_take(c, 4);
  return NN_OK;
}

/* Version 4 keeps a single chunk without an index; its size and mask are there when filtered. */
static nn_status layout_chunks_new(nn_hdf5 *f, h5_cursor *c, h5_layout *l) {
  static const char *const names[] = {"unknown", "", "implicit", "fixed array", "extensible array",
                                      "version 2 B-tree"};
  int flags = (int)h5_take(c, 1);
  l->rank = (int)h5_take(c, 1);
  int width = (int)h5_take(c, 1);
  if (l->rank < 2 || l->rank > NN_MAX_DIMS + 1 || width < 1 || width > 8)
    return h5_fail(f, "a chunk layout is damaged");
  for (int i = 0; i < l->rank; i++) l->dim[i] = h5_take(c, width);
  int index = (int)h5_take(c, 1);
  if (index != 1)
    return h5_fail(f, "the chunk index %s is not supported", names[index < 6 ? index : 0]);
  l->single = 1;
  if (flags & 2) {
    l->size = h5_take(c, 8);
    l->mask = (uint32_t)h5_take(c, 4);
  }
  l->at = h5_take(c, 8);
  return NN_OK;
}

static nn_status layout(nn_hdf5 *f, h5_cursor *c, h5_layout *l) {
  int version = (int)h5_take(c, 1);
  if (version < 3 || version > 4)
    return h5_fail(f, "data layout version %d is not supported, expected 3 or 4", version);
  if (l->kind >= 0) return h5_fail(f, "a dataset has two layouts");
  l->kind = (int)h5_take(c, 1);
  nn_status st = NN_OK;
  if (l->kind == 0) {
    l->size = h5_take(c, 2);
    l->compact = h5_take_bytes(c, (size_t)l->size);
  } else if (l->kind == 1) {
    l->at = h5_take(c, 8);
    l->size = h5_take(c, 8);
  } else if (l->kind == 2) {
    st = version == 3 ? layout_chunks(f, c, l) : layout_chunks_new(f, c, l);
  } else {
    st = h5_fail(f, l->kind == 3 ? "virtual datasets are not supported" : "unknown data layout");
  }
  return !st && c->bad ? h5_fail(f, "a data layout is truncated") : st;
}

static nn_status one_filter(nn_hdf5 *f, h5_header *h, h5_cursor *c, int version) {
  int id = (int)h5_take(c, 2);
  size_t name = version == 1 || id >= 256 ? (size_t)h5_take(c, 2) : 0;
  h5_take(c, 2); /* flags: whether a failing filter may be left out when writing */
  size_t values = (size_t)h5_take(c, 2);
  if (version == 1) name = (name + 7) / 8 * 8;
  h5_take_bytes(c, name);
  h5_take_bytes(c, 4 * (version == 1 ? values + values % 2 : values));
  if (c->bad) return h5_fail(f, "a filter message is truncated");
  if (id != H5_DEFLATE && id != H5_SHUFFLE)
    return h5_fail(f, "filter %d (%s) is not supported, expected gzip and shuffle", id,
                   id == 3 ? "fletcher32" : id == 4 ? "szip" : id == 32000 ? "lzf" : "other");
  h->filter[h->filters++] = id;
  return NN_OK;
}

static nn_status filters(nn_hdf5 *f, h5_header *h, h5_cursor *c) {
  int version = (int)h5_take(c, 1), count = (int)h5_take(c, 1);
  if (version != 1 && version != 2) return h5_fail(f, "filter version %d is unknown", version);
  if (version == 1) h5_take(c, 6);
  if (h->filters || count > H5_FILTERS) return h5_fail(f, "%d filters are too many", count);
  nn_status st = NN_OK;
  for (int i = 0; i < count && !st; i++) st = one_filter(f, h, c, version);
  return st;
}

/* ---- attributes ---- */

/* A part of an attribute as a cursor; version 1 pads each part to 8 bytes. */
static h5_cursor part(h5_cursor *c, size_t n, int version) {
  const uint8_t *p = h5_take_bytes(c, n);
  size_t pad = version == 1 ? (8 - n % 8) % 8 : 0;
  if (pad > h5_left(c)) pad = h5_left(c); /* the last part may lack it */
  h5_take_bytes(c, pad);
  return (h5_cursor){p, p ? p + n : NULL, p == NULL};
}

static nn_status attribute_value(nn_hdf5 *f, h5_cursor *c, nn_hdf5_value *v) {
  size_t n = (size_t)nn_shape_size(&v->shape);
  v->data = h5_take_bytes(c, nn_size_mul(n, v->element_size));
  if (c->bad) return h5_fail(f, "attribute \"%.80s\" is longer than its message", v->name);
  if (n == 0) v->data = NULL;
  return NN_OK;
}

static nn_status attribute(nn_hdf5 *f, h5_cursor *c) {
  nn_hdf5_value v;
  int opaque, version = (int)h5_take(c, 1), flags = (int)h5_take(c, 1);
  memset(&v, 0, sizeof v);
  if (version < 1 || version > 3) return h5_fail(f, "attribute version %d is unknown", version);
  if (version > 1 && flags) return h5_fail(f, "shared datatypes are not supported");
  size_t name_n = (size_t)h5_take(c, 2), type_n = (size_t)h5_take(c, 2);
  size_t space_n = (size_t)h5_take(c, 2);
  if (version == 3) h5_take(c, 1);
  h5_cursor name = part(c, name_n, version), type = part(c, type_n, version);
  h5_cursor space = part(c, space_n, version);
  if (c->bad || name_n < 2 || memchr(name.at, 0, name_n) != name.end - 1)
    return h5_fail(f, "an attribute's name is damaged");
  nn_status st = h5_text_keep(f, name.at, name_n - 1, &v.name);
  if (!st) st = h5_dataspace(f, &space, &v);
  if (!st) st = h5_datatype(f, &type, &v, &opaque);
  if (st) return st;
  if (opaque) return h5_fail(f, "attribute \"%.80s\": opaque data is not supported", v.name);
  if ((st = attribute_value(f, c, &v))) return st;
  if (f->attributes + f->objects >= f->limits.tensors)
    return h5_limit(f, "more objects and attributes");
  st = h5_grow(f, &f->attribute, f->attributes, &f->attribute_room, sizeof v);
  if (!st) f->attribute[f->attributes++] = v;
  return st;
}

/* ---- groups ---- */

/* Link info and attribute info say whether a fractal heap holds what does not fit the header. */
static nn_status dense_check(nn_hdf5 *f, h5_cursor *c, int order_bytes, const char *what) {
  int version = (int)h5_take(c, 1), flags = (int)h5_take(c, 1);
  if (flags & 1) h5_take(c, order_bytes);
  uint64_t heap = h5_take(c, 8);
  if (version != 0 || c->bad) return h5_fail(f, "a message about %s is damaged", what);
  if (heap != H5_UNDEFINED)
    return h5_fail(f, "%s in dense storage (a fractal heap) are not supported", what);
  return NN_OK;
}

static nn_status symbol_table(nn_hdf5 *f, h5_header *h, h5_cursor *c) {
  if (h->has_table) return h5_fail(f, "a group has two symbol tables");
  h->has_table = 1;
  h->tree = h5_take(c, 8);
  h->heap = h5_take(c, 8);
  return c->bad ? h5_fail(f, "a symbol table message is truncated") : NN_OK;
}

nn_status h5_message(nn_hdf5 *f, h5_header *h, int type, int flags, h5_cursor c) {
  if (type == 0) return NN_OK;
  if (flags & 2) return h5_fail(f, "shared messages are not supported");
  switch (type) {
    case 0x01:
      if (h->has_space++) return h5_fail(f, "a dataset has two dataspaces");
      return h5_dataspace(f, &c, &h->value);
    case 0x02:
      h->has_links = 1;
      return dense_check(f, &c, 8, "links");
    case 0x03:
      if (h->has_type++) return h5_fail(f, "a dataset has two datatypes");
      return h5_datatype(f, &c, &h->value, &h->opaque);
    case 0x06:
      h->has_links = 1;
      return h5_link_message(f, &c);
    case 0x07: return h5_fail(f, "external data files are not supported");
    case 0x08: return layout(f, &c, &h->layout);
    case 0x0B: return filters(f, h, &c);
    case 0x0C: return attribute(f, &c);
    case 0x11: return symbol_table(f, h, &c);
    case 0x15: return dense_check(f, &c, 2, "attributes");
    case 0x04: case 0x05: /* fill values: data that was not written is refused anyway */
    case 0x0A: /* group information */
    case 0x0D: case 0x0E: case 0x12: /* comment, times */
    case 0x16: /* reference count */
      return NN_OK;
    default: return h5_fail(f, "messages of type 0x%02x are not supported", (unsigned)type);
  }
}
