/* What is lost here is asked for, one link after the other. */
#include "node/healing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "node/daemon.h"
#include "store/lost.h"
#include "stream/erasure.h"
#include "stream/genuine.h"

#define LOG_TOPIC "healing"
#define MAX_WANTS 4096
/* Of one link and not answered yet. */
#define MAX_ASKED 64
#define ASK_NEXT_MS 2000
#define ASK_AGAIN_MS 30000
/* When all were asked and none had it. */
#define ROUND_MS (10 * 60 * 1000)
#define PRIVATE 4

static uint64_t now_of(const struct daemon *daemon)
{
	return daemon->env.now_ms(daemon->env.world);
}

/* ---- what is lost ---- */

struct listing {
	struct daemon *daemon;
	struct want *items;
	size_t count;
	uint64_t lost_count;
};

static const struct want *find_known(const struct healing *healing, uint64_t seq)
{
	for (size_t i = 0; i < healing->count; i++) {
		if (healing->items[i].seq == seq)
			return &healing->items[i];
	}
	return NULL;
}

static void list_one(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct listing *listing = arg;
	const struct stream *stream = &listing->daemon->stream;
	struct lost lost;
	lost_read(first_seq, last_seq, span_of(NULL, 0), details, &lost);
	listing->lost_count += last_seq - first_seq + 1;
	for (uint64_t seq = first_seq; seq <= last_seq && listing->count < MAX_WANTS; seq++) {
		struct want *want = &listing->items[listing->count++];
		const struct want *known = find_known(&listing->daemon->healing, seq);
		*want = known ? *known : (struct want){.seq = seq};
		if (known)
			continue;
		/* One that says nothing else is taken for our own. */
		bool is_copy = lost.origin.len > 0 && lost.origin.len < sizeof(want->origin);
		snprintf(want->origin, sizeof(want->origin), "%.*s",
			 is_copy ? (int)lost.origin.len : (int)strlen(stream->name),
			 is_copy ? (const char *)lost.origin.data : stream->name);
		want->epoch = is_copy ? lost.epoch : stream_epoch_of(stream, seq);
		want->origin_seq = is_copy ? lost.origin_seq : seq;
	}
}

static void name_lost(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct lost lost;
	uint64_t *left = arg;
	lost_read(first_seq, last_seq, span_of(NULL, 0), details, &lost);
	if (*left == 0)
		return;
	--*left;
	char file[64];
	char first[24];
	char last[24];
	char offset[24];
	snprintf(file, sizeof(file), "%.*s", (int)lost.file.len, (const char *)lost.file.data);
	snprintf(first, sizeof(first), "%llu", (unsigned long long)first_seq);
	snprintf(last, sizeof(last), "%llu", (unsigned long long)last_seq);
	snprintf(offset, sizeof(offset), "%llu", (unsigned long long)lost.offset);
	log_error("records of the log are damaged", "from", first, "to", last, "file", file,
		  "offset", offset);
}

void daemon_damaged(struct daemon *daemon)
{
	struct healing *healing = &daemon->healing;
	const struct env *env = &daemon->env;
	uint64_t lines = 20;
	if (!env->lost)
		return;
	struct listing listing = {.daemon = daemon,
				  .items = mem_get(MAX_WANTS * sizeof(struct want))};
	env->lost(env->world, list_one, &listing);
	free(healing->items);
	healing->items = listing.items;
	healing->count = listing.count;
	if (listing.lost_count > healing->told_count)
		env->lost(env->world, name_lost, &lines);
	healing->told_count = listing.lost_count;
}

void healing_fini(struct daemon *daemon)
{
	free(daemon->healing.items);
	daemon->healing = (struct healing){0};
}

struct lines {
	const struct daemon *daemon;
	struct lost_line *items;
	size_t count;
	size_t max;
};

static void add_line(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	struct lines *lines = arg;
	struct lost lost;
	if (lines->count == lines->max)
		return;
	lost_read(first_seq, last_seq, span_of(NULL, 0), details, &lost);
	struct lost_line *line = &lines->items[lines->count++];
	const struct want *want = find_known(&lines->daemon->healing, first_seq);
	*line = (struct lost_line){.first_seq = first_seq,
				   .last_seq = last_seq,
				   .offset = lost.offset,
				   .found_ms = lost.found_ms,
				   .text = want ? want->text : ""};
	snprintf(line->subject, sizeof(line->subject), "%.*s", (int)lost.subject.len,
		 (const char *)lost.subject.data);
	snprintf(line->file, sizeof(line->file), "%.*s", (int)lost.file.len,
		 (const char *)lost.file.data);
}

size_t healing_list(const struct daemon *daemon, struct lost_line *items, size_t max)
{
	struct lines lines = {.daemon = daemon, .items = items, .max = max};
	if (daemon->env.lost)
		daemon->env.lost(daemon->env.world, add_line, &lines);
	return lines.count;
}

/* ---- asking ---- */

/* A node asks its hub; a hub the home, and for its own records its nodes one after the other. */
static bool may_hold(const struct daemon *daemon, const struct link *link, const struct want *want)
{
	if (daemon->uplink.link)
		return link->is_hub;
	return strcmp(want->origin, daemon->name) == 0 || strcmp(want->origin, link->peer) == 0;
}

/* The link that comes next for this record, in the order in which they said what they hold; NULL
 * when all were asked. */
static struct link *next_link(const struct daemon *daemon, const struct want *want)
{
	struct link *next = NULL;
	list_each (node, &daemon->links.all) {
		struct link *link = list_entry(node, struct link, node);
		if (!link->session || !link->is_followed || link->turn <= want->turn ||
		    !may_hold(daemon, link, want))
			continue;
		if (!next || link->turn < next->turn)
			next = link;
	}
	return next;
}

bool healing_seeks(struct span origin, void *arg)
{
	const struct daemon *daemon = arg;
	uint64_t now = now_of(daemon);
	for (size_t i = 0; i < daemon->healing.count; i++) {
		const struct want *want = &daemon->healing.items[i];
		if (!span_is(origin, want->origin))
			continue;
		if (want->turn == 0 || want->is_healing || now < want->due_ms ||
		    next_link(daemon, want))
			return true;
	}
	return false;
}

/* Is this the link to be asked now? */
static bool is_due(struct daemon *daemon, struct want *want, const struct link *link, uint64_t now)
{
	if (want->is_healing || now < want->due_ms)
		return false;
	const struct link *next = next_link(daemon, want);
	if (!next && now >= want->round_ms) {
		want->turn = 0;
		want->refused_turn = 0;
		next = next_link(daemon, want);
	}
	return next == link;
}

static size_t count_open(const struct daemon *daemon, const struct link *link, uint64_t now)
{
	size_t count = 0;
	for (size_t i = 0; i < daemon->healing.count; i++) {
		const struct want *want = &daemon->healing.items[i];
		count += want->turn == link->turn && now < want->due_ms;
	}
	return count;
}

static void note_asked(struct want *want, const struct link *link, uint64_t now)
{
	if (want->turn == 0)
		want->round_ms = now + ROUND_MS;
	want->turn = link->turn;
	want->due_ms = now + ASK_NEXT_MS;
	if (want->liar[0])
		snprintf(want->text, sizeof(want->text),
			 "'%s' gave another record; '%s' was asked and has not given it",
			 want->liar, link->peer);
	else
		snprintf(want->text, sizeof(want->text), "'%s' was asked and has not given it",
			 link->peer);
}

static void ask(struct daemon *daemon, struct link *link)
{
	struct wire_position positions[MAX_ASKED];
	size_t count = 0;
	uint64_t now = now_of(daemon);
	size_t open = count_open(daemon, link, now);
	for (size_t i = 0; i < daemon->healing.count && open + count < MAX_ASKED; i++) {
		struct want *want = &daemon->healing.items[i];
		if (!is_due(daemon, want, link, now))
			continue;
		note_asked(want, link, now);
		positions[count++] = (struct wire_position){
			.origin = span_of(want->origin, strlen(want->origin)),
			.epoch = want->epoch,
			.seq = want->origin_seq};
	}
	if (count == 0)
		return;
	struct packet packet = {.kind = PACKET_WANT};
	packet.want = (struct packet_want){.positions = positions, .position_count = count};
	session_send(&daemon->sessions, link->session, &packet);
}

void healing_tick(struct daemon *daemon)
{
	if (daemon->healing.count == 0)
		return;
	list_each (node, &daemon->links.all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->session && link->is_followed)
			ask(daemon, link);
	}
}

/* ---- what came ---- */

struct heal {
	struct log_heal base;
	struct daemon *daemon;
	char peer[64];
	uint64_t turn; /* of the link that gave it */
};

static struct want *find_want(struct daemon *daemon, uint64_t seq)
{
	return (struct want *)(uintptr_t)find_known(&daemon->healing, seq);
}

/* What this link gave is not the record: from it nothing more is taken in this round, and the next
 * one is asked. */
static void refuse(struct daemon *daemon, struct want *want, const char *peer, uint64_t turn,
		   const char *what)
{
	want->refused_turn = turn;
	want->due_ms = now_of(daemon);
	snprintf(want->liar, sizeof(want->liar), "%s", peer);
	snprintf(want->text, sizeof(want->text), "what '%s' gave %s", peer, what);
	log_warning("a copy does not fit the damaged record", "seq", log_number(want->seq), "from",
		    peer, "reason", what);
}

/* The copy may be whole: the log did not take it. The same link is asked again. */
static void wait_for_log(struct daemon *daemon, struct want *want, const struct heal *heal)
{
	want->turn = heal->turn - 1;
	want->due_ms = now_of(daemon) + ASK_AGAIN_MS;
	snprintf(want->text, sizeof(want->text), "what '%s' gave cannot be put back now (%s)",
		 heal->peer, lyc_status_name(heal->base.status));
	log_warning("a damaged record cannot be put back", "seq", log_number(want->seq), "status",
		    lyc_status_name(heal->base.status));
}

static void healed(struct log_heal *base)
{
	struct heal *heal = (struct heal *)base;
	struct daemon *daemon = heal->daemon;
	struct want *want = find_want(daemon, base->seq);
	if (want)
		want->is_healing = false;
	if (base->status == LYC_OK) {
		log_notice("a damaged record came back", "seq", log_number(base->seq), "from",
			   heal->peer);
		stream_replay_own(&daemon->stream, base->seq,
				  span_of(base->record.data, base->record.len));
		daemon_damaged(daemon);
	} else if (want && base->status == LYC_FAILED_PRECONDITION) {
		refuse(daemon, want, heal->peer, heal->turn, "is not the record that was here");
	} else if (want) {
		wait_for_log(daemon, want, heal);
	}
	buf_fini(&base->subject);
	buf_fini(&base->record);
	free(heal);
}

/* Our own: its seal says that it is, or, of a copy from before there were seals, its whole body. A
 * private record has never left: nobody can hold it. */
static bool is_ours(struct stream *stream, const struct record *record)
{
	struct label label = policy_members_label();
	if (record->label.len > 0 && label_read(record->label, &label) != LYC_OK)
		return false;
	if (label.visibility == PRIVATE ||
	    crc32c(0, record->body.data, record->body.len) != record->body_crc)
		return false;
	return record->seal == 0 || stream_seal_fits(stream, record);
}

/* Was this link asked for it, be it some time ago, and has not given something else since? */
static bool is_asked(const struct daemon *daemon, const struct want *want, const struct link *link)
{
	return link->turn > 0 && link->turn <= want->turn && link->turn > want->refused_turn &&
	       may_hold(daemon, link, want);
}

static struct want *find_asked(struct daemon *daemon, const struct link *link,
			       const struct record *record)
{
	for (size_t i = 0; i < daemon->healing.count; i++) {
		struct want *want = &daemon->healing.items[i];
		if (!want->is_healing && is_asked(daemon, want, link) &&
		    span_is(record->origin, want->origin) && record->epoch == want->epoch &&
		    record->origin_seq == want->origin_seq)
			return want;
	}
	return NULL;
}

/* Which one it should be cannot be told: one that it was asked for stands for them. */
static void note_unreadable(struct daemon *daemon, const struct link *link)
{
	char text[sizeof(((struct want *)NULL)->text)];
	snprintf(text, sizeof(text), "'%s' gave what is no record", link->peer);
	for (size_t i = 0; i < daemon->healing.count; i++) {
		struct want *want = &daemon->healing.items[i];
		if (want->is_healing || want->turn != link->turn)
			continue;
		if (strcmp(want->text, text) != 0)
			log_warning("what should be a copy is no record", "from", link->peer);
		memcpy(want->text, text, sizeof(text));
		return;
	}
}

static void put_back(struct daemon *daemon, const struct link *link, struct want *want,
		     struct record *record, struct span bytes)
{
	struct heal *heal = mem_new(struct heal);
	heal->daemon = daemon;
	heal->turn = link->turn;
	snprintf(heal->peer, sizeof(heal->peer), "%s", link->peer);
	heal->base.seq = want->seq;
	heal->base.on_done = healed;
	buf_add(&heal->base.subject, record->subject.data, record->subject.len);
	/* Others' records come from where they came from the first time. */
	heal->base.is_vouched = !span_is(record->origin, daemon->name) || record->seal != 0;
	if (span_is(record->origin, daemon->name)) {
		/* As it stands in its home's log. */
		record->origin = span_of(NULL, 0);
		record->epoch = 0;
		record->origin_seq = 0;
		record->seal = record->mark = 0;
		record_write(&heal->base.record, record);
	} else {
		buf_add(&heal->base.record, bytes.data, bytes.len);
	}
	want->is_healing = true;
	daemon->env.heal(daemon->env.world, &heal->base);
}

static void take(struct daemon *daemon, struct link *link, struct span bytes)
{
	struct record record;
	struct lyc_error error;
	if (record_read(bytes, &record) != LYC_OK) {
		note_unreadable(daemon, link);
		return;
	}
	struct want *want = find_asked(daemon, link, &record);
	if (!want)
		return; /* nobody asked for it, or not there */
	bool is_own = span_is(record.origin, daemon->name);
	if (is_own ? !is_ours(&daemon->stream, &record)
		   : genuine_check(&daemon->types, &record, &error) != LYC_OK) {
		refuse(daemon, want, link->peer, link->turn, "is cut or changed");
		return;
	}
	/* Whoever gave it has not heard yet that its bytes are to go. */
	if (erasures_covers(daemon->stream.erasures, is_own ? span_of(NULL, 0) : record.origin,
			    record.subject, want->seq)) {
		snprintf(want->text, sizeof(want->text),
			 "it was erased since: it does not come back");
		return;
	}
	put_back(daemon, link, want, &record, bytes);
}

void healing_found(struct daemon *daemon, struct link *link, const struct packet_copy *found)
{
	struct span at = found->records;
	struct span record;
	while (daemon->env.heal && copy_next(&at, &record))
		take(daemon, link, record);
}
