/* A data folder from a backup, before there is a daemon; and whether a backup is whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "io/clock.h"
#include "store/backup.h"
#include "store/backup_files.h"
#include "world/parts.h"

static void write_origin(char *to, size_t size, const struct backup_summary *summary)
{
	time_t seconds = (time_t)(summary->time_ms / 1000);
	struct tm moment;
	gmtime_r(&seconds, &moment);
	if (summary->time_ms == 0)
		snprintf(to, size, "a copied data folder");
	else
		strftime(to, size, "the backup of %Y-%m-%d %H:%M:%S UTC", &moment);
}

/* A key that the backup has and the data folder has not. */
static enum lyc_status restore_key(const char *folder, const char *name, const char *to,
				   bool *ret_is_restored, struct lyc_error *error)
{
	char from[600];
	struct buf content = {0};
	*ret_is_restored = false;
	if (!backup_path(from, sizeof(from), folder, name) || access(from, F_OK) != 0 ||
	    access(to, F_OK) == 0)
		return LYC_OK;
	enum lyc_status status = backup_load(from, &content, error);
	if (status == LYC_OK)
		status = backup_write(to, span_of(content.data, content.len), error);
	*ret_is_restored = status == LYC_OK;
	buf_fini(&content);
	return status;
}

enum lyc_status world_restore(const Lyceum__V1__Config *config, const char *folder, bool is_alone,
			      char *ret_text, size_t size, struct lyc_error *error)
{
	char log[460];
	char key[460];
	char operator_key[460];
	char origin[80];
	bool has_key = false;
	bool is_operator_restored = false;
	struct backup_summary summary;
	snprintf(log, sizeof(log), "%s/log", config->data);
	snprintf(key, sizeof(key), "%s/daemon.key", config->data);
	snprintf(operator_key, sizeof(operator_key), "%s/operator.key", config->data);
	bool waits = config->uplink && !is_alone;
	const struct restore_options options = {.folder = folder,
						.to = log,
						.daemon = config->name,
						.now_ms = wall_ms(),
						.waits_for_hub = waits};
	enum lyc_status status = running_make_folder(config->data, error);
	if (status == LYC_OK)
		status = backup_restore(&options, &summary, error);
	const char *key_path = config->key_file[0] ? config->key_file : key;
	if (status == LYC_OK)
		status = restore_key(folder, "daemon.key", key_path, &has_key, error);
	if (status == LYC_OK)
		status = restore_key(folder, "operator.key", operator_key, &is_operator_restored,
				     error);
	if (status != LYC_OK)
		return status;
	write_origin(origin, sizeof(origin), &summary);
	const char *about_key = has_key ? " Its key is restored."
				: access(key_path, F_OK) == 0
					? ""
					: " The key is not in it: the start makes a new one, "
					  "which the other daemons' configurations have to name.";
	snprintf(ret_text, size,
		 "Restored '%s' from %s: %" PRIu64 " record%s up to %" PRIu64 " of epoch %" PRIu64
		 ". What comes now is of a new epoch.%s%s",
		 config->name, origin, summary.record_count, summary.record_count == 1 ? "" : "s",
		 summary.last_seq, summary.epoch, about_key,
		 waits ? " After the start it takes no records until its hub has given back what "
			 "it holds of the lost end; --alone does without."
		       : "");
	return LYC_OK;
}

enum lyc_status world_check_backup(const char *folder, char *ret_text, size_t size,
				   struct lyc_error *error)
{
	char origin[80];
	struct backup_summary summary;
	enum lyc_status status = backup_check(folder, &summary, error);
	if (status != LYC_OK)
		return status;
	write_origin(origin, sizeof(origin), &summary);
	snprintf(ret_text, size,
		 "%s is whole: %s of '%s', %" PRIu64 " record%s up to %" PRIu64 " of epoch %" PRIu64
		 ", %" PRIu64 " KiB, %s.",
		 folder, origin, summary.daemon, summary.record_count,
		 summary.record_count == 1 ? "" : "s", summary.last_seq, summary.epoch,
		 (summary.bytes + 1023) / 1024,
		 summary.has_keys ? "with its key: keep it secret" : "without its key");
	return LYC_OK;
}
