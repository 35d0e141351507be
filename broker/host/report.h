/* The metrics that plugins tell of themselves: taken from their Report, listed in Node/Metrics. */
#ifndef LYC_HOST_REPORT_H
#define LYC_HOST_REPORT_H

#include "host/host.h"

/* "lyceum_", a plugin's name, "_" and a metric's. */
#define REPORT_NAME_LEN 112

struct report_item {
	char name[REPORT_NAME_LEN];
	char unit[32];
	char help[208];
	double value;
};

/* Keep a ReportRequest in the place of the plugin's last one. PERMISSION_DENIED for anybody else.
 */
LYC_MUST_USE enum lyc_status report_take(struct host *host, const struct session *caller,
					 struct span body, struct lyc_error *error);
/* What the plugins that run have told, the instances of one summed; at most `max`. Returns how
 * many.
 */
size_t report_list(const struct host *host, struct report_item *items, size_t max);

#endif
