/* The version: the one place that states it (the Makefile reads it too). */
#ifndef NN_CORE_VERSION_H
#define NN_CORE_VERSION_H

#define NN_VERSION "0.1.0"

#endif
