/*
 * A plugin's own counters and gauges: kept here, told to the daemon as a whole, at most once in a
 * second and only when one has changed or the session is new.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "client/context.h"

#define MAX_METRICS 64
#define MAX_NAME 60
#define MAX_UNIT 20
#define MAX_HELP 200
#define TELL_MS 1000

struct metric {
	struct list of_context;
	double value;
	char name[MAX_NAME + 1];
	char unit[MAX_UNIT + 1];
	char help[MAX_HELP + 1];
};

static bool is_good_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	return name && name[0] >= 'a' && name[0] <= 'z' && strlen(name) <= MAX_NAME &&
	       strspn(name, letters) == strlen(name);
}

static struct metric *find(const struct metrics *metrics, const char *name)
{
	list_each (node, &metrics->all) {
		struct metric *metric = list_entry(node, struct metric, of_context);
		if (strcmp(metric->name, name) == 0)
			return metric;
	}
	return NULL;
}

enum lyc_status lyc_metric(struct lyc_plugin_context *context, const char *name, const char *unit,
			   const char *help, double value)
{
	struct metrics *metrics = &context->metrics;
	if (!is_good_name(name) || strlen(unit) > MAX_UNIT || strlen(help) > MAX_HELP)
		return LYC_INVALID_ARGUMENT;
	struct metric *metric = find(metrics, name);
	if (!metric) {
		metric = metrics->count < MAX_METRICS ? mem_try(sizeof(*metric)) : NULL;
		if (!metric)
			return LYC_RESOURCE_EXHAUSTED;
		strcpy(metric->name, name);
		strcpy(metric->unit, unit);
		strcpy(metric->help, help);
		list_add_last(&metrics->all, &metric->of_context);
		metrics->count++;
		metrics->has_news = true;
	}
	metrics->has_news |= memcmp(&metric->value, &value, sizeof(value)) != 0;
	metric->value = value;
	return LYC_OK;
}

static void on_told(const struct lyc_reply *reply, void *arg)
{
	struct lyc_plugin_context *context = arg;
	context->metrics.is_on_way = false;
	/* An older daemon does not know the method: then nobody asks. */
	if (reply->status == LYC_UNAVAILABLE || reply->status == LYC_RESOURCE_EXHAUSTED)
		context->metrics.has_news = true;
}

void metrics_tell(struct lyc_plugin_context *context, uint64_t now_ms)
{
	struct metrics *metrics = &context->metrics;
	struct buf body = {0};
	if (!metrics->has_news || metrics->is_on_way || !context->is_registered ||
	    (metrics->told_ms && now_ms - metrics->told_ms < TELL_MS))
		return;
	list_each (node, &metrics->all) {
		const struct metric *metric = list_entry(node, struct metric, of_context);
		uint64_t bits;
		memcpy(&bits, &metric->value, sizeof(bits));
		size_t item = pb_begin(&body, 1);
		pb_write_text(&body, 1, metric->name);
		pb_write_text(&body, 2, metric->unit);
		pb_write_text(&body, 3, metric->help);
		pb_write_fixed64(&body, 4, bits);
		pb_end(&body, item);
	}
	metrics->told_ms = now_ms;
	if (!body.has_failed &&
	    lyc_client_call_start(context->client, "lyceum.v1.Node/Report", body.data, body.len,
				  NULL, on_told, context, NULL) == LYC_OK) {
		metrics->is_on_way = true;
		metrics->has_news = false;
	}
	buf_fini(&body);
}

void metrics_fini(struct metrics *metrics)
{
	list_each_safe (node, &metrics->all)
		free(list_entry(node, struct metric, of_context));
	list_init(&metrics->all);
}
