/* Wall clocks inside, UTC outside. */
#include "meeting.h"

#include "hold.h"
#include "recurrence.h"
#include "wall.h"

static enum lyc_status refuse(struct lyc_error *error, const char *field, const char *text,
			      const char *value)
{
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(error->field, sizeof(error->field), "%s", field);
	snprintf(error->text, sizeof(error->text), text, value);
	return error->status;
}

void meeting_write(int64_t wall, char to[MEETING_TIME_SIZE])
{
	struct wall at = wall_of(wall);

	snprintf(to, MEETING_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)at.year % 10000,
		 (unsigned)at.month % 100, (unsigned)at.day % 100, (unsigned)at.hour % 100,
		 (unsigned)at.minute % 100, (unsigned)at.second % 100);
}

static bool read_wall(const char *text, int64_t *ret_wall)
{
	bool is_date, is_utc;

	return wall_read(text, ret_wall, &is_date, &is_utc) && !is_date && !is_utc;
}

static void set_text(char **field, const char *text)
{
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = hold_text(text);
}

static void set_wall(char **field, int64_t wall)
{
	char text[MEETING_TIME_SIZE];

	meeting_write(wall, text);
	set_text(field, text);
}

bool meeting_day(const char *text, int64_t *ret_ms)
{
	bool is_date, is_utc;

	if (!wall_read(text, ret_ms, &is_date, &is_utc) || !is_date)
		return false;
	*ret_ms *= 1000;
	return true;
}

static bool has_several(uint64_t bits)
{
	return (bits & (bits - 1)) != 0;
}

static enum lyc_status check_rule(const event_msg *event, int64_t start, const struct zone *zone,
				  struct lyc_error *error)
{
	struct recurrence_rule rule;
	struct recurrence set = {.start = start, .zone = zone, .rules = &rule, .rule_count = 1};
	enum lyc_status status = recurrence_parse(event->rrule, &rule, error);

	if (status == LYC_OK)
		status = recurrence_check(&rule, false, error);
	if (status != LYC_OK) {
		snprintf(error->field, sizeof(error->field), "rrule");
		return LYC_INVALID_ARGUMENT;
	}
	if (rule.freq < RECURRENCE_DAILY || has_several(rule.hours) || has_several(rule.minutes) ||
	    has_several(rule.seconds))
		return refuse(error, "rrule",
			      "a series meets once a day at most: %.100s comes more often",
			      event->rrule);
	if (!recurrence_has_start(&set))
		return refuse(error, "start",
			      "the rule of the series does not yield its own start: %s",
			      event->start);
	return LYC_OK;
}

/* The moment that a wall clock first shows after it jumped over this time. */
static int64_t after_jump(const struct zone *zone, int64_t wall)
{
	int64_t utc = zone_to_utc(zone, wall, NULL), last = utc, at;

	for (at = utc - 2 * WALL_DAY_S; zone_next_change(zone, at, &at) && at <= utc;)
		last = at;
	return zone_to_wall(zone, last);
}

static enum lyc_status find_utc(const struct zone *zone, const char *field, int64_t wall,
				int64_t *ret_utc, struct lyc_error *error)
{
	char text[MEETING_TIME_SIZE], next[MEETING_TIME_SIZE];
	enum zone_fit fit;

	*ret_utc = zone_to_utc(zone, wall, &fit);
	if (fit != ZONE_NEVER)
		return LYC_OK;
	meeting_write(wall, text);
	meeting_write(after_jump(zone, wall), next);
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(error->field, sizeof(error->field), "%s", field);
	snprintf(error->text, sizeof(error->text),
		 "there is no %s in %s: the clocks go forward then, and the next time is %s", text,
		 zone_name(zone), next);
	return error->status;
}

enum lyc_status meeting_settle(event_msg *event, int64_t length_s, struct zones *zones,
			       struct lyc_error *error)
{
	const struct zone *zone;
	int64_t start, end, at, start_s, end_s;

	if (zones_find(zones, event->zone, &zone, error) != LYC_OK)
		return refuse(error, "zone", "there is no time zone %s: \"Europe/London\" is one",
			      event->zone);
	if (!read_wall(event->start, &start))
		return refuse(error, "start", "%s is no time: \"2026-12-03T10:00\" is one",
			      event->start);
	if (find_utc(zone, "start", start, &start_s, error) != LYC_OK)
		return error->status;
	end_s = start_s + (length_s ? length_s : 3600);
	if (event->end[0] && !read_wall(event->end, &end))
		return refuse(error, "end", "%s is no time: \"2026-12-03T11:00\" is one",
			      event->end);
	if (event->end[0] && find_utc(zone, "end", end, &end_s, error) != LYC_OK)
		return error->status;
	if (end_s <= start_s)
		return refuse(error, "end", "%s is not after the start", event->end);
	for (size_t i = 0; i < event->n_exdate; i++) {
		if (!read_wall(event->exdate[i], &at))
			return refuse(error, "exdate", "%s is no time", event->exdate[i]);
		set_wall(&event->exdate[i], at);
	}
	if (event->rrule[0] && check_rule(event, start, zone, error) != LYC_OK)
		return error->status;
	set_wall(&event->start, start);
	set_wall(&event->end, zone_to_wall(zone, end_s));
	event->start_ms = start_s * 1000;
	event->end_ms = end_s * 1000;
	return LYC_OK;
}

static void read_removed(const event_msg *event, int64_t **ret_removed)
{
	*ret_removed = hold_new(event->n_exdate, sizeof(**ret_removed));
	for (size_t i = 0; i < event->n_exdate; i++) {
		if (!read_wall(event->exdate[i], &(*ret_removed)[i]))
			(*ret_removed)[i] = INT64_MIN;
	}
}

/* Of a series; ret_starts is the caller's. */
static size_t list_starts(const event_msg *event, const struct zone *zone, int64_t start,
			  int64_t from, int64_t to, size_t max, int64_t **ret_starts)
{
	struct lyc_error error;
	struct recurrence_rule rule;
	int64_t *removed;
	size_t count = 0;
	bool has_more;

	*ret_starts = NULL;
	if (recurrence_parse(event->rrule, &rule, &error) != LYC_OK)
		return 0;
	read_removed(event, &removed);
	struct recurrence set = {.start = start,
				 .zone = zone,
				 .rules = &rule,
				 .rule_count = 1,
				 .removed = removed,
				 .removed_count = event->n_exdate};
	if (recurrence_list(&set, from, to, max, ret_starts, &count, &has_more) != LYC_OK)
		count = 0;
	free(removed);
	return count;
}

size_t meeting_list(const event_msg *event, struct zones *zones, int64_t from_ms, int64_t to_ms,
		    struct meeting *to, size_t max)
{
	const struct zone *zone;
	struct lyc_error error;
	int64_t start, end, *starts = NULL;
	size_t count = 1, used = 0;

	if (zones_find(zones, event->zone, &zone, &error) != LYC_OK ||
	    !read_wall(event->start, &start) || !read_wall(event->end, &end))
		return 0;
	/* A meeting lasts as long as the first one did, whatever the clocks do meanwhile. */
	int64_t len = event->end_ms > event->start_ms ? (event->end_ms - event->start_ms) / 1000
						      : end - start;
	int64_t from = zone_to_wall(zone, from_ms / 1000) - len - 7200;
	int64_t until = zone_to_wall(zone, to_ms / 1000) + 7200;
	if (event->rrule[0])
		count = list_starts(event, zone, start, from, until, max + 2, &starts);
	for (size_t i = 0; i < count && used < max; i++) {
		int64_t at = starts ? starts[i] : start;
		int64_t start_s = zone_to_utc(zone, at, NULL);
		struct meeting meeting = {
			.start = at,
			.end = zone_to_wall(zone, start_s + len),
			.start_ms = start_s * 1000,
			.end_ms = (start_s + len) * 1000,
		};
		if (meeting.end_ms > from_ms && meeting.start_ms < to_ms)
			to[used++] = meeting;
	}
	free(starts);
	return used;
}

/* ---- In words ---- */

void meeting_words(const event_msg *event, bool in_welsh, char to[MEETING_WORDS_SIZE])
{
	static const char *const days[2][7] = {
		{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
		{"Dydd Llun", "Dydd Mawrth", "Dydd Mercher", "Dydd Iau", "Dydd Gwener",
		 "Dydd Sadwrn", "Dydd Sul"}};
	static const char *const months[2][12] = {
		{"January", "February", "March", "April", "May", "June", "July", "August",
		 "September", "October", "November", "December"},
		{"Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst",
		 "Medi", "Hydref", "Tachwedd", "Rhagfyr"}};
	int64_t start = 0, end = 0;

	if (!read_wall(event->start, &start) || !read_wall(event->end, &end)) {
		snprintf(to, MEETING_WORDS_SIZE, "%.60s", event->start);
		return;
	}
	struct wall one = wall_of(start), two = wall_of(end);
	const char *const *day = days[in_welsh], *const *month = months[in_welsh];
	int len = snprintf(to, MEETING_WORDS_SIZE, "%s %d %s %d, %02d:%02d %s ",
			   day[wall_weekday(wall_day_of(start))], one.day, month[one.month - 1],
			   one.year, one.hour, one.minute, in_welsh ? "hyd" : "to");
	if (wall_day_of(start) != wall_day_of(end))
		len += snprintf(to + len, (size_t)(MEETING_WORDS_SIZE - len), "%s %d %s, ",
				day[wall_weekday(wall_day_of(end))], two.day, month[two.month - 1]);
	snprintf(to + len, (size_t)(MEETING_WORDS_SIZE - len), "%02d:%02d (%.50s)", two.hour,
		 two.minute, event->zone);
}

/* ---- For calendar programs ---- */

static const char *text_or_null(const char *text)
{
	return text[0] ? text : NULL;
}

bool meeting_to_ics(const event_msg *event, int64_t stamp_s, struct meeting_ics *to)
{
	struct lyc_error error;
	int64_t start, end, len;

	*to = (struct meeting_ics){0};
	if (!read_wall(event->start, &start) || !read_wall(event->end, &end))
		return false;
	if (event->rrule[0] && recurrence_parse(event->rrule, &to->rule, &error) != LYC_OK)
		return false;
	len = (event->end_ms - event->start_ms) / 1000;
	snprintf(to->uid, sizeof(to->uid), "%s@%s.lyceum", event->id, event->home);
	read_removed(event, &to->removed);
	struct ics_time last = {.clock = ICS_ZONED, .at = end, .zone = event->zone};
	/* The clocks change meanwhile: the wall's time may come twice, UTC does not. */
	if (len > 0 && len != end - start)
		last = (struct ics_time){.clock = ICS_UTC, .at = event->end_ms / 1000};
	to->event = (struct ics_event){
		.uid = to->uid,
		.sequence = event->sequence,
		.status = event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED
				  ? ICS_CANCELLED
			  : event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__TENTATIVE
				  ? ICS_TENTATIVE
				  : ICS_CONFIRMED,
		.stamp = stamp_s,
		.start = {.clock = ICS_ZONED, .at = start, .zone = event->zone},
		.end = last,
		.rules = event->rrule[0] ? &to->rule : NULL,
		.rule_count = event->rrule[0] ? 1 : 0,
		.removed = to->removed,
		.removed_count = event->n_exdate,
		.title = event->title,
		.description = text_or_null(event->description),
		.place = text_or_null(event->place),
		.url = text_or_null(event->url),
		.category = event->n_topic ? event->topic[0] : NULL,
	};
	return true;
}

void meeting_ics_fini(struct meeting_ics *ics)
{
	free(ics->removed);
	*ics = (struct meeting_ics){0};
}
