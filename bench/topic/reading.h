/* Bodies of lyceum.bench.v1.Reading, written by hand: the same bytes for every contestant, with a
 * number that tells which one it is. */
#ifndef LYC_BENCH_READING_H
#define LYC_BENCH_READING_H

#include <stddef.h>
#include <stdint.h>

#define READING_TYPE "lyceum.bench.v1.Reading"
/* The daemon that it belongs to: the label's home. */
#define READING_HOME "bench"
#define READING_MIN_LEN 64
#define READING_MAX_LEN 8192
/* The number of one that nobody should get. */
#define READING_HIDDEN 77777777

/* `len` bytes; region and device below 10,000. Anybody in the network may see it. */
void reading_write(uint8_t *to, size_t len, unsigned region, unsigned device, uint64_t number);
/* Only the number of one that has been written. */
void reading_set_number(uint8_t *body, uint64_t number);
/* The same with a label that names a group of its home in which nobody is. */
void reading_write_hidden(uint8_t *to, size_t len, unsigned region, unsigned device,
			  uint64_t number);
/* UINT64_MAX when it is none of these. */
uint64_t reading_number(const uint8_t *body, size_t len);
/* "lyceum.bench.v1.Reading.r0001.d0002"; for a topic of MQTT the same with '/'. */
void reading_subject(char *to, size_t size, unsigned region, unsigned device, char separator);

#endif
