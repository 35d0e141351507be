/* The system's count of pages, and glibc's malloc_trim. */
#include "world/spare_memory.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define PAUSE_MS 2000
/* What is worth the trouble. */
#define GROWN_KIB (8 * 1024)
#define LEFT_PEERS 64

void spare_memory_init(struct spare_memory *spare, uv_loop_t *loop)
{
	*spare = (struct spare_memory){.loop = loop};
}

size_t spare_memory_resident_kib(void)
{
	unsigned long resident = 0;
	unsigned long shared = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %lu %lu", &resident, &shared) != 2 || resident < shared)
		resident = shared = 0;
	fclose(file);
	return (resident - shared) * ((size_t)sysconf(_SC_PAGESIZE) / 1024);
}

bool spare_memory_is_due(const struct spare_memory *spare, uint64_t now_ms, size_t resident_kib,
			 size_t peer_count)
{
	if (spare->is_busy || now_ms < spare->done_ms + PAUSE_MS)
		return false;
	return resident_kib > spare->least_kib + spare->least_kib / 4 + GROWN_KIB ||
	       spare->most_peers >= peer_count + LEFT_PEERS;
}

static void give_back(uv_work_t *work)
{
	(void)work;
	malloc_trim(0);
}

static void given_back(uv_work_t *work, int status)
{
	struct spare_memory *spare = work->data;
	(void)status;
	spare->is_busy = false;
	spare->done_ms = uv_now(spare->loop);
	spare->least_kib = spare_memory_resident_kib();
}

void spare_memory_tick(struct spare_memory *spare, size_t peer_count)
{
	uint64_t now = uv_now(spare->loop);
	if (peer_count > spare->most_peers)
		spare->most_peers = peer_count;
	if (spare->is_busy || now < spare->done_ms + PAUSE_MS)
		return;
	if (!spare_memory_is_due(spare, now, spare_memory_resident_kib(), peer_count)) {
		spare->done_ms = now; /* looked at */
		return;
	}
	spare->most_peers = peer_count;
	spare->work.data = spare;
	spare->is_busy = uv_queue_work(spare->loop, &spare->work, give_back, given_back) == 0;
}
