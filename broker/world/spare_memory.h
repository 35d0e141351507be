/*
 * Memory that was freed goes back to the system. The allocator keeps what thousands of peers leave
 * behind in pieces, and crowds that come and go would take more each time: after four of a thousand
 * peers twice what one needs. When the process has grown by a quarter, or many peers have left,
 * what is free is given back, by a thread of the loop's pool.
 */
#ifndef LYC_WORLD_SPARE_MEMORY_H
#define LYC_WORLD_SPARE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct spare_memory {
	uv_loop_t *loop;
	uv_work_t work;
	bool is_busy;
	/* Since it was done last: when, how much there was then, and the most peers. */
	uint64_t done_ms;
	size_t least_kib;
	size_t most_peers;
};

void spare_memory_init(struct spare_memory *spare, uv_loop_t *loop);
/* On every tick. */
void spare_memory_tick(struct spare_memory *spare, size_t peer_count);
/* Is it worth while? For spare_memory_tick. */
bool spare_memory_is_due(const struct spare_memory *spare, uint64_t now_ms, size_t resident_kib,
			 size_t peer_count);
/* Memory of this process that is no file's; 0 when it is not known. */
size_t spare_memory_resident_kib(void);

#endif
