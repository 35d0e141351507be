/* Addresses of connections that are to be cut. A routing id is never used again. */
#include "node/barred.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/dispatch.h"

#define GOODBYE_MS 20

struct barred {
	uint8_t address[SESSION_ADDRESS_LEN];
	uint32_t address_len;
	uint64_t since_ms;
	UT_hash_handle by_address;
};

void barred_add(struct daemon *daemon, struct session *session, const char *text)
{
	struct barred *barred = mem_new(struct barred);
	memcpy(barred->address, session->address, sizeof(barred->address));
	barred->address_len = session->address_len;
	barred->since_ms = daemon->env.now_ms(daemon->env.world);
	HASH_ADD(by_address, daemon->barred, address, barred->address_len, barred);
	daemon_dismiss(daemon, session, GOODBYE_DENIED, text);
}

bool barred_ignore(struct daemon *daemon, uint32_t port, struct span routing_id, int fd)
{
	uint8_t address[SESSION_ADDRESS_LEN];
	struct barred *barred = NULL;
	if (!daemon->barred || routing_id.len > sizeof(address) - sizeof(port))
		return false;
	memcpy(address, &port, sizeof(port));
	if (routing_id.len > 0)
		memcpy(address + sizeof(port), routing_id.data, routing_id.len);
	HASH_FIND(by_address, daemon->barred, address, sizeof(port) + routing_id.len, barred);
	if (!barred)
		return false;
	if (fd >= 0 && daemon->env.now_ms(daemon->env.world) - barred->since_ms >= GOODBYE_MS) {
		daemon->env.cut(daemon->env.world, fd);
		HASH_DELETE(by_address, daemon->barred, barred);
		free(barred);
	}
	return true;
}

void barred_fini(struct daemon *daemon)
{
	struct barred *barred;
	struct barred *next;
	HASH_ITER (by_address, daemon->barred, barred, next) {
		HASH_DELETE(by_address, daemon->barred, barred);
		free(barred);
	}
}
