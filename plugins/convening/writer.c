/*
 * An outsider's address is in the invitation; an expert's is asked of this node's own directory,
 * each time anew, and kept nowhere.
 */
#include "writer.h"

#include <jansson.h>

#include "hold.h"
#include "mailing.h"
#include "mime.h"
#include "post.h"
#include "stale.h"

#define DIRECTORY "lyceum.experts.v1.ExpertDirectory/Get"

/* ---- Notes ---- */

struct noting {
	struct convening *state;
	uint64_t ticket;
};

static void on_noted(const struct lyc_ack *ack, void *arg)
{
	struct noting *noting = arg;

	if (noting->state->post)
		post_noted(noting->state->post, noting->ticket, ack->status == LYC_OK);
	free(noting);
}

void writer_fill(const struct convening *state, const struct outbox_mail *mail,
		 mail_note_msg *ret_note, label_msg *ret_label)
{
	lyceum__convening__v1__mail_note__init(ret_note);
	convening_private_label(state, ret_label);
	ret_note->home = state->view.node;
	ret_note->event = (char *)(uintptr_t)mail->event;
	ret_note->person = (char *)(uintptr_t)mail->person;
	ret_note->sequence = mail->sequence;
	ret_note->kind = (char *)(uintptr_t)mail->kind;
	ret_note->step = (Lyceum__Convening__V1__MailNote__Step)mail->step;
	ret_note->queued_ms = mail->queued_ms;
	ret_note->due_ms = mail->due_ms;
	ret_note->at_ms = mail->at_ms;
	ret_note->tries = mail->tries;
	ret_note->may_be_double = mail->may_be_double;
	ret_note->code = mail->code;
	ret_note->said = (char *)(uintptr_t)mail->said;
	ret_note->label = ret_label;
}

enum lyc_status writer_note(struct convening *state, const struct outbox_mail *mail,
			    uint64_t ticket)
{
	label_msg label;
	mail_note_msg note;
	const struct lyc_publish_options options = {.durable = true};
	struct noting *noting = hold_new(1, sizeof(*noting));

	*noting = (struct noting){state, ticket};
	writer_fill(state, mail, &note, &label);
	enum lyc_status status = lyc_append(state->context, &note.base, &options, on_noted, noting);
	if (status != LYC_OK)
		free(noting);
	return status;
}

/* ---- Writing ---- */

struct writing {
	struct convening *state;
	char key[OUTBOX_KEY_SIZE];
	char kind[64];
	uint32_t sequence;
	struct entry *entry;
	char *invitation;
};

static void writing_free(struct writing *writing)
{
	free(writing->invitation);
	free(writing);
}

static void refuse(const struct writing *writing, enum outbox_step step, const char *said)
{
	if (writing->state->post)
		post_not_written(writing->state->post, writing->key, step, said);
}

/* The meeting that "reminder-START-MINUTES" is about. */
static bool find_meeting(const struct writing *writing, struct meeting *to)
{
	long long start_ms = 0;

	if (sscanf(writing->kind, "reminder-%lld-", &start_ms) != 1)
		return false;
	return meeting_list(writing->entry->event, writing->state->zones, start_ms, start_ms + 1,
			    to, 1) == 1 &&
	       to->start_ms == start_ms;
}

static void write_to(const struct writing *writing, const char *name, const char *address)
{
	struct convening *state = writing->state;
	struct invited *invited = view_invited(writing->entry, writing->invitation);
	enum letter_kind kind = mailing_kind(writing->kind);
	struct meeting meeting;
	bool has_meeting =
		kind == LETTER_REMINDER && writing->entry->event && find_meeting(writing, &meeting);
	const char *why = invited ? stale_why(&state->view, writing->entry, invited, writing->kind,
					      writing->sequence)
				  : "the invitation is gone";
	struct lyc_error error = {0};
	char token[SECRET_TOKEN_SIZE];
	char *bytes = NULL;
	size_t len = 0;

	if (!why && kind == LETTER_REMINDER &&
	    (!has_meeting || meeting.start_ms <= convening_now_ms()))
		why = "there is no such meeting any more";
	if (why) {
		refuse(writing, OUTBOX_DROPPED, why);
		return;
	}
	secret_reply_token(&state->secret, writing->entry->home, writing->entry->id,
			   writing->invitation, token);
	stale_note_written(writing->entry, invited, writing->kind);
	const struct mailing mailing = {
		.kind = kind,
		.kind_name = writing->kind,
		.event = writing->entry->event,
		.node = state->view.node,
		.config = state->config,
		.invitation = writing->invitation,
		.sequence = writing->sequence,
		.now_s = convening_now_ms() / 1000,
		.name = name,
		.address = address,
		.message = kind == LETTER_INVITE ? invited->msg->message : "",
		.token = token,
		.meeting = has_meeting ? &meeting : NULL,
	};
	if (mailing_write(&mailing, state->zones, &bytes, &len, &error) != LYC_OK)
		refuse(writing, OUTBOX_FAILED, error.text);
	else if (state->post)
		post_written(state->post, writing->key, address, bytes, len);
	free(bytes);
}

/* ---- The expert's address ---- */

static void on_expert(const struct lyc_reply *reply, const char *json, void *arg)
{
	struct writing *writing = arg;
	json_t *root = reply->status == LYC_OK && json ? json_loads(json, 0, NULL) : NULL;
	json_t *expert = json_object_get(root, "expert");
	const char *address =
		json_string_value(json_object_get(json_object_get(expert, "contact"), "email"));
	const char *name =
		json_string_value(json_object_get(json_object_get(expert, "name"), "display"));

	if (reply->status == LYC_NOT_FOUND || reply->status == LYC_FAILED_PRECONDITION)
		refuse(writing, OUTBOX_FAILED, "the directory has no such expert");
	else if (!root)
		refuse(writing, OUTBOX_PUT_OFF, "the directory of experts does not answer");
	else if (!address || !mime_is_address(address))
		refuse(writing, OUTBOX_FAILED, "the directory has no address of the expert");
	else
		write_to(writing, name ? name : "", address);
	json_decref(root);
	if (!reply->more)
		writing_free(writing);
}

/* Takes writing. */
static void ask_directory(struct writing *writing, const invitation_msg *invitation)
{
	struct convening *state = writing->state;
	struct lyc_error error = {0};
	const struct lyc_call_options options = {.timeout_ms = 10000};
	enum lyc_status status = LYC_OK;

	if (!state->types)
		status = lyc_types_new(lyc_context_client(state->context), &state->types);
	json_t *request =
		json_pack("{s:s, s:s}", "id", invitation->expert, "home", state->view.node);
	char *json = request ? json_dumps(request, JSON_COMPACT) : NULL;
	if (status == LYC_OK && json)
		status = lyc_json_call_start(state->types, DIRECTORY, json, strlen(json), &options,
					     on_expert, writing, NULL, &error);
	free(json);
	json_decref(request);
	if (status == LYC_OK && request)
		return;
	refuse(writing, OUTBOX_PUT_OFF, "this node has no directory of experts at the moment");
	writing_free(writing);
}

void writer_write(struct convening *state, const struct outbox_mail *mail)
{
	char homes[80];
	struct entry *entry = view_named(&state->view, mail->event, homes, sizeof(homes));
	const struct invited *invited = entry ? view_invited(entry, mail->person) : NULL;

	if (!invited) {
		post_not_written(state->post, mail->key, OUTBOX_DROPPED,
				 "the event is not known here any more");
		return;
	}
	struct writing *writing = hold_new(1, sizeof(*writing));
	writing->state = state;
	snprintf(writing->key, sizeof(writing->key), "%s", mail->key);
	snprintf(writing->kind, sizeof(writing->kind), "%s", mail->kind);
	writing->sequence = mail->sequence;
	writing->entry = entry;
	writing->invitation = hold_text(mail->person);
	if (invited->msg->expert[0]) {
		ask_directory(writing, invited->msg);
		return;
	}
	write_to(writing, invited->msg->name, invited->msg->email);
	writing_free(writing);
}
