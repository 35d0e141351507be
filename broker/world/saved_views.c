/* The values lie beside the log, each in a file of its own that is replaced as a whole: a CRC-32C,
 * then the pattern. */
#include "world/saved_views.h"

#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "node/views.h"

#define CRC_LEN 4
#define MAX_LEN (CRC_LEN + 1024)

/* The pattern that the plugin followed; empty: it has not been here. */
static struct span read_saved(const char *data, const char *plugin, uint8_t bytes[MAX_LEN])
{
	struct buf path = {0};
	struct span nothing = span_of(NULL, 0);
	buf_add_format(&path, "%s/log/meta/" VIEWS_KEY_PREFIX "%s", data, plugin);
	FILE *file = fopen(buf_text(&path), "re");
	buf_fini(&path);
	if (!file)
		return nothing;
	size_t len = fread(bytes, 1, MAX_LEN, file);
	fclose(file);
	if (len <= CRC_LEN)
		return nothing;
	uint32_t crc = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		       (uint32_t)bytes[3] << 24;
	struct span value = span_of(bytes + CRC_LEN, len - CRC_LEN);
	return crc32c(0, value.data, value.len) == crc ? value : nothing;
}

enum lyc_status saved_views_check(const Lyceum__V1__Config *config,
				  const struct retention_rules *rules, struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < config->n_plugins && status == LYC_OK; i++) {
		uint8_t bytes[MAX_LEN];
		char who[80];
		const char *name = config->plugins[i]->name;
		struct span pattern = read_saved(config->data, name, bytes);
		snprintf(who, sizeof(who), "the plugin '%s'", name);
		if (pattern.len > 0)
			status = retention_rules_admit(rules, pattern, who, error);
	}
	return status;
}
