/*
 * Methods of lyceum.convening.v1.Mails: what waits and what failed, read off the outbox, and a new
 * beginning for what failed. For the people of this node: a mail is nobody else's business.
 */
#include <time.h>

#include "hold.h"
#include "methods.h"
#include "writer.h"

typedef Lyceum__Convening__V1__Mails_Service service_msg;
typedef Lyceum__Convening__V1__ListMailsReply__Item item_msg;

#define WHO_SIZE 300
#define TIME_SIZE 32
#define DEFAULT_LIMIT 1000

static bool is_of(const struct outbox_mail *mail, const char *event)
{
	size_t len = strlen(event);

	return len == 0 || strcmp(mail->event, event) == 0 ||
	       (strncmp(mail->event, event, len) == 0 && mail->event[len] == '@');
}

static bool is_own_call(const struct convening *state, struct lyc_call *call)
{
	if (convening_is_own(state, lyc_call_principal(call)))
		return true;
	lyc_call_fail(call, LYC_PERMISSION_DENIED,
		      "the mails of %.64s are the business of its own people", state->view.node);
	return false;
}

/* Whom it is for, as a person of this node knows them. */
static void write_who(const struct convening *state, const struct outbox_mail *mail,
		      char to[WHO_SIZE])
{
	char homes[80];
	const struct entry *entry = view_named(&state->view, mail->event, homes, sizeof(homes));
	const struct invited *invited = entry ? view_invited(entry, mail->person) : NULL;

	if (!invited)
		snprintf(to, WHO_SIZE, "%s", mail->person);
	else if (invited->msg->expert[0])
		snprintf(to, WHO_SIZE, "%s@%s", invited->msg->expert, invited->msg->expert_home);
	else
		snprintf(to, WHO_SIZE, "%s",
			 invited->msg->name[0] ? invited->msg->name : invited->msg->email);
}

/* ---- ListMails ---- */

struct picking {
	const struct convening *state;
	const Lyceum__Convening__V1__ListMailsRequest *request;
	Lyceum__Convening__V1__ListMailsReply reply;
	size_t limit, capacity;
};

static void write_next(const struct outbox_mail *mail, char to[TIME_SIZE])
{
	time_t at = (time_t)(mail->due_ms / 1000);
	struct tm tm;

	to[0] = '\0';
	if ((mail->step == OUTBOX_QUEUED || mail->step == OUTBOX_PUT_OFF) && gmtime_r(&at, &tm))
		strftime(to, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void count(struct picking *picking, const struct outbox_mail *mail)
{
	Lyceum__Convening__V1__ListMailsReply *reply = &picking->reply;

	reply->sent += mail->step == OUTBOX_SENT;
	reply->failed += mail->step == OUTBOX_FAILED;
	reply->dropped += mail->step == OUTBOX_DROPPED;
	reply->waiting += mail->step == OUTBOX_QUEUED || mail->step == OUTBOX_BEGUN ||
			  mail->step == OUTBOX_PUT_OFF;
}

static void pick(const struct outbox_mail *mail, void *arg)
{
	struct picking *picking = arg;
	Lyceum__Convening__V1__ListMailsReply *reply = &picking->reply;
	int wanted = (int)picking->request->step;
	char who[WHO_SIZE], next[TIME_SIZE];

	if (!is_of(mail, picking->request->event))
		return;
	count(picking, mail);
	bool is_open = mail->step != OUTBOX_SENT && mail->step != OUTBOX_DROPPED;
	if (reply->n_mail == picking->limit || (wanted ? (int)mail->step != wanted : !is_open))
		return;
	write_who(picking->state, mail, who);
	write_next(mail, next);
	item_msg *item = hold_new(1, sizeof(*item));
	lyceum__convening__v1__list_mails_reply__item__init(item);
	item->event = hold_text(mail->event);
	item->who = hold_text(who);
	item->kind = hold_text(mail->kind);
	item->step = (Lyceum__Convening__V1__MailNote__Step)mail->step;
	item->tries = mail->tries;
	item->next = hold_text(next);
	item->may_be_double = mail->may_be_double;
	item->said = hold_text(mail->said);
	item->code = mail->code;
	item->sequence = mail->sequence;
	item->at_ms = mail->at_ms;
	reply->mail[reply->n_mail++] = item;
}

static void mails_list_mails(service_msg *service,
			     const Lyceum__Convening__V1__ListMailsRequest *request,
			     Lyceum__Convening__V1__ListMailsReply_Closure closure,
			     void *closure_data)
{
	struct convening *state = lyc_call_state(closure_data);
	struct picking picking = {.state = state,
				  .request = request,
				  .limit = request->limit ? request->limit : DEFAULT_LIMIT};

	(void)service;
	if (!is_own_call(state, closure_data))
		return;
	lyceum__convening__v1__list_mails_reply__init(&picking.reply);
	picking.reply.mail = hold_new(picking.limit, sizeof(*picking.reply.mail));
	outbox_each(state->view.outbox, pick, &picking);
	if (!state->post)
		picking.reply.remark =
			(char *)(uintptr_t) "No relay is configured: nothing is sent.";
	closure(&picking.reply, closure_data);
	for (size_t i = 0; i < picking.reply.n_mail; i++)
		protobuf_c_message_free_unpacked(&picking.reply.mail[i]->base, NULL);
	free(picking.reply.mail);
}

/* ---- SendAgain ---- */

/* A call, and how many of its appends are still under way. */
struct again {
	struct convening *state;
	struct lyc_call *call;
	Lyceum__Convening__V1__SendAgainReply_Closure closure;
	const Lyceum__Convening__V1__SendAgainRequest *request;
	const struct outbox_mail **mails;
	size_t mail_count;
	uint32_t due, done, refused;
	bool is_complete;
};

static void settle(struct again *again)
{
	Lyceum__Convening__V1__SendAgainReply reply = LYCEUM__CONVENING__V1__SEND_AGAIN_REPLY__INIT;

	if (again->due > 0 || !again->is_complete)
		return;
	reply.count = again->done;
	if (again->refused > 0)
		lyc_call_fail(
			again->call, LYC_UNAVAILABLE,
			"%u mails are tried again, and the log did not take %u: ask once more",
			again->done, again->refused);
	else
		again->closure(&reply, again->call);
	free(again->mails);
	free(again);
}

static void on_again(const struct lyc_ack *ack, void *arg)
{
	struct again *again = arg;

	again->due--;
	again->done += ack->status == LYC_OK;
	again->refused += ack->status != LYC_OK;
	settle(again);
}

static void find_failed(const struct outbox_mail *mail, void *arg)
{
	struct again *again = arg;
	char who[WHO_SIZE];

	write_who(again->state, mail, who);
	if (mail->step == OUTBOX_FAILED && is_of(mail, again->request->event) &&
	    (!again->request->who[0] || strcmp(again->request->who, who) == 0))
		again->mails[again->mail_count++] = mail;
}

static void append(struct again *again, const struct outbox_mail *mail)
{
	const struct lyc_publish_options options = {.durable = true,
						    .principal = lyc_call_principal(again->call)};
	struct outbox_mail note = outbox_again(mail, convening_now_ms());
	label_msg label = LYCEUM__V1__LABEL__INIT;
	mail_note_msg record = LYCEUM__CONVENING__V1__MAIL_NOTE__INIT;

	writer_fill(again->state, &note, &record, &label);
	again->due++;
	if (lyc_append(again->state->context, &record.base, &options, on_again, again) == LYC_OK)
		return;
	again->due--;
	again->refused++;
}

static void mails_send_again(service_msg *service,
			     const Lyceum__Convening__V1__SendAgainRequest *request,
			     Lyceum__Convening__V1__SendAgainReply_Closure closure,
			     void *closure_data)
{
	struct convening *state = lyc_call_state(closure_data);

	(void)service;
	if (!is_own_call(state, closure_data))
		return;
	struct again *again = hold_new(1, sizeof(*again));
	*again = (struct again){
		.state = state, .call = closure_data, .closure = closure, .request = request};
	again->mails = hold_new(outbox_count(state->view.outbox, OUTBOX_FAILED) + 1,
				sizeof(*again->mails));
	lyc_call_defer(closure_data);
	outbox_each(state->view.outbox, find_failed, again);
	for (size_t i = 0; i < again->mail_count; i++)
		append(again, again->mails[i]);
	again->is_complete = true;
	settle(again);
}

Lyceum__Convening__V1__Mails_Service convening_mails = LYCEUM__CONVENING__V1__MAILS__INIT(mails_);
