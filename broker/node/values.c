/* A table of keys, by how they begin. */
#include "node/values.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "node/daemon.h"
#include "store/backup.h"
#include "stream/durable.h"

#define LOG_TOPIC "values"
#define MARK "meta/.damaged-"

/* A key that ends with a dot stands for all that begin so. */
static const struct {
	const char *key;
	const char *text;
} meanings[] = {
	{"log",
	 "the state of the log: it goes on in a new epoch, and a node gets back from its hub "
	 "what its end may have lost"},
	{"name", "whose log it is: the configuration's name was taken"},
	{BACKUP_EPOCHS_KEY, "the log's former epochs: they were read from its segments"},
	{BACKUP_WAITS_KEY, "whether the hub still has to give records back: it is asked again"},
	{BACKUP_RESTORED_KEY, "from which backup the log came: nothing says so any more"},
	{"seal",
	 "the key of the seals: copies that left before are not taken back after a restore, "
	 "nor for a damaged record whose checksum is gone"},
	{"positions",
	 "how far records came that retention has removed since: they are fetched again, "
	 "and removed again"},
	{"erased", "which erasures were done everywhere: they are made sure of again"},
	{"confirmed", "how far the hub had confirmed: it says so when it is there"},
	{"heads", "how old the knowledge of other daemons was: it is heard anew"},
	{"backed-up", "when the last backup was made: status does not say it"},
	{"refusals", "the numbers of refusals: they may come a second time"},
	{"given.", "how far a peer had given back records: it is asked for all of them"},
	{"follows.",
	 "what a plugin's view follows: the rules of retention are checked when it begins"},
};

static bool is_of(const char *key, const char *pattern)
{
	size_t len = strlen(pattern);
	return pattern[len - 1] == '.' ? strncmp(key, pattern, len) == 0
				       : strcmp(key, pattern) == 0;
}

static void explain(const char *key, char *to, size_t size)
{
	char name[64];
	if (is_of(key, "durable.")) {
		durable_name(key, name, sizeof(name));
		snprintf(to, size,
			 "the place of the durable subscriber '%s': it begins at the oldest record",
			 name);
		return;
	}
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		if (is_of(key, meanings[i].key)) {
			snprintf(to, size, "%s", meanings[i].text);
			return;
		}
	}
	snprintf(to, size, "a value that this version does not know");
}

static void tell(const char *key, void *arg)
{
	char text[200];
	(void)arg;
	explain(key, text, sizeof(text));
	log_error("a value beside the log was damaged", "key", key, "lost", text);
}

void values_tell(struct daemon *daemon)
{
	if (daemon->env.damaged)
		daemon->env.damaged(daemon->env.world, tell, NULL);
}

struct lines {
	struct damaged_value *items;
	size_t count;
	size_t max;
};

static void add(const char *key, void *arg)
{
	struct lines *list = arg;
	if (list->count == list->max)
		return;
	struct damaged_value *item = &list->items[list->count++];
	snprintf(item->file, sizeof(item->file), MARK "%s", key);
	explain(key, item->text, sizeof(item->text));
}

size_t values_list(struct daemon *daemon, struct damaged_value *items, size_t max)
{
	struct lines list = {.items = items, .max = max};
	if (daemon->env.damaged)
		daemon->env.damaged(daemon->env.world, add, &list);
	return list.count;
}
