/* The bodies whose check is measured: five shapes, each of a type of bodies.proto. */
#ifndef LYC_BENCH_BODIES_H
#define LYC_BENCH_BODIES_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define BODIES_MAX_LEN 8192

struct body_shape {
	const char *title;
	const ProtobufCMessageDescriptor *type;
	/* Returns how many bytes of BODIES_MAX_LEN it took. */
	size_t (*write)(uint8_t *to);
};

enum { BODY_TWENTY, BODY_TWO, BODY_PAGE, BODY_CURVE, BODY_TREE, BODY_SHAPES };

extern const struct body_shape body_shapes[BODY_SHAPES];

#endif
