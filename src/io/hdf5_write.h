/* Writing HDF5 files as Keras lays them out, without libhdf5.
 *
 * What Keras needs is small: groups, contiguous little-endian datasets, attributes that are texts
 * or numbers. Writing those few structures ourselves keeps libhdf5's process-wide state and its
 * uncounted memory out of a host, and makes the bytes depend on nothing but names and values:
 * superblock version 2, object headers version 2 without times, links in the header, members
 * sorted by name, texts of variable length in global heaps. libhdf5 1.8 and later and h5py read it.
 *
 * Paths name objects from the root ("layers/dense/vars/0", "" is the root); groups on the way are
 * made. Names and texts are copied; a dataset's memory is borrowed until nn_hdf5_writer_write. The
 * first error sticks and is told by nn_hdf5_writer_write.
 */
#ifndef NN_IO_HDF5_WRITE_H
#define NN_IO_HDF5_WRITE_H

#include "core/tensor.h"
#include "io/elements.h"
#include "io/stream.h"

typedef struct nn_hdf5_writer nn_hdf5_writer;

/* NULL when there is no memory. */
nn_hdf5_writer *nn_hdf5_writer_new(nn_alloc *a);
void nn_hdf5_writer_free(nn_hdf5_writer *w); /* NULL is allowed */

void nn_hdf5_put_group(nn_hdf5_writer *w, const char *path);
/* `as` is the type in the file: float32 for a float32 tensor; bool, int8 ... uint64 but not a float
 * for the others (whole numbers are widened, Keras keeps `iteration` as int64). */
void nn_hdf5_put_tensor(nn_hdf5_writer *w, const char *path, const nn_tensor *t, nn_element as);

/* Attributes of the object at `path`, which is made a group when it does not exist. */
void nn_hdf5_put_text(nn_hdf5_writer *w, const char *path, const char *name, const char *text,
                      size_t n);
/* An array of `count` texts that end in zero; 0 gives an empty array. At most 4,000 texts fit into
 * an attribute: the caller splits longer lists as Keras does (name0, name1 ...). */
void nn_hdf5_put_texts(nn_hdf5_writer *w, const char *path, const char *name,
                       const char *const *texts, size_t count);
void nn_hdf5_put_integer(nn_hdf5_writer *w, const char *path, const char *name, int64_t v);
/* Has the file hold its checksum (io/checksum.h): an attribute of the root, whose digits
 * nn_hdf5_writer_save fills in. Who writes elsewhere does that, at the place that
 * nn_hdf5_writer_sum_at tells once the file is written. */
void nn_hdf5_put_checksum(nn_hdf5_writer *w);
uint64_t nn_hdf5_writer_sum_at(const nn_hdf5_writer *w);

/* Writes the whole file, after which nothing more is put; the stream keeps the error. */
nn_status nn_hdf5_writer_write(nn_hdf5_writer *w, nn_stream *s);
/* Replaces a file atomically, or makes a block of bytes (nn_mem_free). */
nn_status nn_hdf5_writer_save(nn_hdf5_writer *w, const char *path, nn_error *e);
nn_status nn_hdf5_writer_bytes(nn_hdf5_writer *w, uint8_t **bytes, size_t *n, nn_error *e);

#endif
