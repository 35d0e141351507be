/* Reports of plugins. A metric's name begins with the plugin's: none can speak for another. */
#include "host/report.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "lyceum/v1/node.pb-c.h"

#define MAX_REPORT (32u * 1024)
#define MAX_NAME 60

static bool is_good_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	return name[0] >= 'a' && name[0] <= 'z' && strlen(name) <= MAX_NAME &&
	       strspn(name, letters) == strlen(name);
}

enum lyc_status report_take(struct host *host, const struct session *caller, struct span body,
			    struct lyc_error *error)
{
	struct plugin *plugin =
		caller->kind == SESSION_PLUGIN ? host_find(host, caller->identity) : NULL;
	if (!plugin)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "'%s' is not a plugin of this daemon and has no metrics here",
				 caller->identity);
	Lyceum__V1__ReportRequest *request =
		body.len <= MAX_REPORT
			? lyceum__v1__report_request__unpack(
				  NULL, body.len, body.data ? body.data : (const uint8_t *)"")
			: NULL;
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "a report has at most %u bytes, or there is no memory",
				 MAX_REPORT);
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < request->n_metric && status == LYC_OK; i++) {
		if (!is_good_name(request->metric[i]->name))
			status = error_set_field(error, LYC_INVALID_ARGUMENT, "metric.name",
						 "a metric's name is [a-z][a-z0-9_]*, of at most "
						 "%d letters",
						 MAX_NAME);
	}
	lyceum__v1__report_request__free_unpacked(request, NULL);
	if (status != LYC_OK)
		return status;
	buf_clear(&plugin->report);
	buf_add(&plugin->report, body.data, body.len);
	return plugin->report.has_failed ? error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory")
					 : LYC_OK;
}

static struct report_item *find(struct report_item *items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(items[i].name, name) == 0)
			return &items[i];
	}
	return NULL;
}

static size_t add(const struct plugin *plugin, const Lyceum__V1__ReportRequest *report,
		  struct report_item *items, size_t count, size_t max)
{
	for (size_t i = 0; i < report->n_metric; i++) {
		const Lyceum__V1__Metric *metric = report->metric[i];
		char name[REPORT_NAME_LEN];
		snprintf(name, sizeof(name), "lyceum_%s_%s", plugin->name, metric->name);
		for (char *dash = strchr(name, '-'); dash; dash = strchr(dash, '-'))
			*dash = '_';
		struct report_item *item = find(items, count, name);
		if (!item && count == max)
			break;
		if (!item) {
			item = &items[count++];
			*item = (struct report_item){.value = 0};
			memcpy(item->name, name, sizeof(name));
			snprintf(item->unit, sizeof(item->unit), "%s", metric->unit);
			snprintf(item->help, sizeof(item->help), "%s", metric->help);
		}
		item->value += metric->value;
	}
	return count;
}

size_t report_list(const struct host *host, struct report_item *items, size_t max)
{
	size_t count = 0;
	list_each (node, &host->plugins) {
		const struct plugin *plugin = list_entry(node, struct plugin, node);
		Lyceum__V1__ReportRequest *report =
			plugin->report.len > 0
				? lyceum__v1__report_request__unpack(NULL, plugin->report.len,
								     plugin->report.data)
				: NULL;
		if (!report)
			continue;
		count = add(plugin, report, items, count, max);
		lyceum__v1__report_request__free_unpacked(report, NULL);
	}
	return count;
}
