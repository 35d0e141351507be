/*
 * A person enters by a link that works once, and is then known by a cookie. The link's page changes
 * nothing by being looked at: programs that check mail follow links, so a button sends the token.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "lyceum/http/v1/users.pb-c.h"

#define DAY_MS (24ull * 60 * 60 * 1000)

/* ---- The page behind the link ---- */

struct texts {
	const char *language;
	const char *title;
	const char *greeting;
	const char *button;
	const char *spent;
};

static const struct texts texts[] = {
	{"en", "Enter Lyceum", "This link is for you alone, and works once.", "Enter",
	 "This link has been used, or is too old. Ask the operator of your node for a new one."},
	{"cy", "Mynd i mewn i Lyceum",
	 "Mae&rsquo;r ddolen hon i chi yn unig, ac yn gweithio unwaith.", "Mynd i mewn",
	 "Mae&rsquo;r ddolen hon wedi&rsquo;i defnyddio, neu mae&rsquo;n rhy hen. Gofynnwch i "
	 "weithredwr eich nod am un "
	 "newydd."},
};

/* Of the invited person, else what the browser asks for first. */
static const struct texts *texts_for(const struct exchange *exchange, const char *token)
{
	const struct users *users = &exchange->web->users;
	const struct pass *invitation =
		token ? users_invitation(users, token, web_wall_ms()) : NULL;
	const struct user *user = invitation ? users_find(users, invitation->user) : NULL;
	const char *accepted = exchange_header(exchange, "Accept-Language");
	const char *language = user && user->language[0] ? user->language
			       : accepted                ? accepted
							 : "en";
	return &texts[strncmp(language, "cy", 2) == 0];
}

static void answer_page(struct exchange *exchange, unsigned status, const struct texts *words,
			const char *body)
{
	char page[2000];
	int len = snprintf(page, sizeof(page),
			   "<!doctype html>\n<html lang=\"%s\">\n<meta charset=\"utf-8\">\n"
			   "<meta name=\"viewport\" content=\"width=device-width, "
			   "initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n"
			   "<title>%s</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n"
			   "<main class=\"enter\">\n<h1>%s</h1>\n%s</main>\n</html>\n",
			   words->language, words->title, words->title, body);
	exchange_answer(exchange, status, "text/html; charset=utf-8", page, (size_t)len, NULL);
}

void sign_in_page(struct exchange *exchange)
{
	struct fields fields = {.count = 0};
	char body[400];
	bool is_read = exchange_read_query(exchange, &fields);
	const char *token = is_read ? fields_find(&fields, "token") : NULL;
	const struct texts *words = texts_for(exchange, token);
	/* Whatever is no good token is told so here already; letters that could mean something in
	 * HTML are in none. */
	if (token && users_invitation(&exchange->web->users, token, web_wall_ms())) {
		snprintf(body, sizeof(body),
			 "<p>%s</p>\n<form method=\"post\" action=\"/enter\">\n"
			 "<input type=\"hidden\" name=\"token\" value=\"%s\">\n"
			 "<button type=\"submit\">%s</button>\n</form>\n",
			 words->greeting, token, words->button);
		answer_page(exchange, MHD_HTTP_OK, words, body);
	} else {
		snprintf(body, sizeof(body), "<p>%s</p>\n", words->spent);
		answer_page(exchange, MHD_HTTP_GONE, words, body);
	}
	fields_fini(&fields);
}

/* ---- The button ---- */

/* First the invitation is withdrawn, expecting the record that was seen: it works once. Then the
 * session is appended; then the cookie goes out. */
struct entering {
	struct flight *flight;
	char user[64];
	char token[TOKEN_LEN + 1];
	char id[TOKEN_ID_LEN + 1];
	uint8_t hash[TOKEN_HASH_LEN];
	char invitation[TOKEN_ID_LEN + 1];
	uint64_t created_ms;
};

static void entering_free(struct entering *entering)
{
	flight_end(entering->flight);
	free(entering);
}

static void set_cookie(const struct web *web, const char *token, uint64_t seconds, char *to,
		       size_t size)
{
	snprintf(to, size, SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%llu%s",
		 token, (unsigned long long)seconds, web->settings.is_https ? "; Secure" : "");
}

static void fill_session(struct entering *entering, const struct web *web,
			 Lyceum__Http__V1__Session *session, Lyceum__V1__Label *label)
{
	lyceum__http__v1__session__init(session);
	lyceum__v1__label__init(label);
	session->home = label->home = (char *)(uintptr_t)lyc_node_name(web->context);
	label->visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	session->id = entering->id;
	session->user = entering->user;
	session->token_hash = (ProtobufCBinaryData){TOKEN_HASH_LEN, entering->hash};
	session->created_ms = entering->created_ms;
	session->expires_ms = entering->created_ms + web->settings.session_days * DAY_MS;
	session->label = label;
}

static void on_entered(const struct lyc_ack *ack, void *arg)
{
	struct entering *entering = arg;
	struct exchange *exchange = entering->flight->exchange;
	char cookie[200];
	if (exchange && ack->status == LYC_OK) {
		struct web *web = exchange->web;
		set_cookie(web, entering->token, web->settings.session_days * 86400ull, cookie,
			   sizeof(cookie));
		web->counters.entered++;
		Lyceum__Http__V1__Session session;
		Lyceum__V1__Label label;
		fill_session(entering, web, &session, &label);
		users_take_own(web, "Session", entering->id, &session.base, ack->seq);
		exchange_answer(exchange, MHD_HTTP_SEE_OTHER, NULL, "", 0,
				(const char *const[]){"Set-Cookie", cookie, "Location", "/", NULL});
	} else if (exchange) {
		exchange_fail(exchange, 0, ack->status, "", "you could not be let in: %s",
			      ack->text ? ack->text : "");
	}
	entering_free(entering);
}

static void append_session(struct entering *entering)
{
	struct web *web = entering->flight->exchange->web;
	Lyceum__Http__V1__Session session;
	Lyceum__V1__Label label;
	token_make(entering->token, entering->hash);
	token_id(entering->id);
	entering->created_ms = web_wall_ms();
	fill_session(entering, web, &session, &label);
	enum lyc_status status =
		lyc_append(web->context, &session.base, NULL, on_entered, entering);
	if (status != LYC_OK)
		on_entered(&(struct lyc_ack){.status = status,
					     .text = "the log takes no more at the moment"},
			   entering);
}

static void on_spent(const struct lyc_ack *ack, void *arg)
{
	struct entering *entering = arg;
	struct exchange *exchange = entering->flight->exchange;
	if (exchange && ack->status == LYC_OK) {
		users_take_own(exchange->web, "Invitation", entering->invitation, NULL, ack->seq);
		append_session(entering);
		return;
	}
	if (exchange && (ack->status == LYC_FAILED_PRECONDITION || ack->status == LYC_ABORTED)) {
		char body[400];
		const struct texts *words = texts_for(exchange, NULL);
		snprintf(body, sizeof(body), "<p>%s</p>\n", words->spent);
		answer_page(exchange, MHD_HTTP_GONE, words, body);
	} else if (exchange) {
		exchange_fail(exchange, 0, ack->status, "", "you could not be let in: %s",
			      ack->text ? ack->text : "");
	}
	entering_free(entering);
}

static void enter(struct exchange *exchange, const struct pass *invitation)
{
	struct entering *entering = calloc(1, sizeof(*entering));
	struct flight *flight = entering ? flight_new(exchange) : NULL;
	if (!flight) {
		free(entering);
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
		return;
	}
	entering->flight = flight;
	snprintf(entering->user, sizeof(entering->user), "%s", invitation->user);
	snprintf(entering->invitation, sizeof(entering->invitation), "%s", invitation->id);
	users_withdraw_pass(exchange->web, "Invitation", invitation->id, invitation->seq, on_spent,
			    entering);
}

void sign_in_enter(struct exchange *exchange)
{
	struct fields fields = {.count = 0};
	const char *type = exchange_header(exchange, "Content-Type");
	bool is_form = type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0;
	bool is_read = is_form && exchange->body &&
		       fields_read_form(&fields, exchange->body, exchange->body_len);
	const char *token = is_read ? fields_find(&fields, "token") : NULL;
	const struct pass *invitation =
		token ? users_invitation(&exchange->web->users, token, web_wall_ms()) : NULL;
	if (invitation) {
		enter(exchange, invitation);
	} else {
		char body[400];
		const struct texts *words = texts_for(exchange, NULL);
		snprintf(body, sizeof(body), "<p>%s</p>\n", words->spent);
		answer_page(exchange, MHD_HTTP_GONE, words, body);
	}
	fields_fini(&fields);
}

/* ---- Inside ---- */

static void on_prolonged(const struct lyc_ack *ack, void *arg)
{
	/* Refused: it was ended, or prolonged by another request, meanwhile. */
	(void)ack;
	(void)arg;
}

void sign_in_prolong(struct exchange *exchange, const struct pass *pass, const char *token)
{
	struct web *web = exchange->web;
	uint64_t now_ms = web_wall_ms();
	uint64_t whole_ms = web->settings.session_days * DAY_MS;
	if (pass->expires_ms - now_ms > whole_ms / 2 || !lyc_is_caught_up(web->context))
		return;
	struct lyc_publish_options options = {.expect = true, .expect_seq = pass->seq};
	Lyceum__Http__V1__Session session = LYCEUM__HTTP__V1__SESSION__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	session.home = label.home = (char *)(uintptr_t)lyc_node_name(web->context);
	label.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	session.id = pass->id;
	session.user = pass->user;
	session.token_hash =
		(ProtobufCBinaryData){TOKEN_HASH_LEN, (uint8_t *)(uintptr_t)pass->hash};
	session.created_ms = pass->created_ms;
	session.expires_ms = now_ms + whole_ms;
	session.label = &label;
	if (lyc_append(web->context, &session.base, &options, on_prolonged, NULL) == LYC_OK)
		set_cookie(web, token, whole_ms / 1000, exchange->cookie, sizeof(exchange->cookie));
}

void sign_in_me(struct exchange *exchange)
{
	struct web *web = exchange->web;
	const struct user *user = users_find(&web->users, exchange->user);
	const char *node = lyc_node_name(web->context);
	char principal[160];
	if (!user) {
		exchange_fail(exchange, 0, LYC_UNAUTHENTICATED, "",
			      "you are not known here any more");
		return;
	}
	snprintf(principal, sizeof(principal), "%s@%s", user->name, node);
	json_t *groups = json_array();
	for (size_t i = 0; i < user->group_count; i++)
		json_array_append_new(groups, json_string(user->groups[i]));
	json_t *json =
		json_pack("{s:s, s:s, s:s, s:o}", "principal", principal, "node", node, "language",
			  user->language[0] ? user->language : "en", "groups", groups);
	char *text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	exchange_answer(exchange, MHD_HTTP_OK, "application/json", text ? text : "{}",
			text ? strlen(text) : 2, NULL);
	free(text);
}

static void on_left(const struct lyc_ack *ack, void *arg)
{
	struct flight *flight = arg;
	struct exchange *exchange = flight->exchange;
	char cookie[200];
	flight_end(flight);
	if (!exchange)
		return;
	if (ack->status == LYC_OK)
		users_take_own(exchange->web, "Session", exchange->session_id, NULL, ack->seq);
	exchange->cookie[0] = '\0';
	set_cookie(exchange->web, "", 0, cookie, sizeof(cookie));
	if (ack->status == LYC_OK)
		exchange_answer(exchange, MHD_HTTP_OK, "application/json", "{}", 2,
				(const char *const[]){"Set-Cookie", cookie, NULL});
	else
		exchange_fail(exchange, 0, ack->status, "", "you are not signed out: %s",
			      ack->text ? ack->text : "");
}

void sign_in_leave(struct exchange *exchange)
{
	const char *reason = guard_own_page(exchange);
	struct flight *flight = reason ? NULL : flight_new(exchange);
	if (reason)
		exchange_fail(exchange, 0, LYC_PERMISSION_DENIED, "", "%s", reason);
	else if (!flight)
		exchange_fail(exchange, 0, LYC_RESOURCE_EXHAUSTED, "", "there is no memory");
	else
		users_withdraw_pass(exchange->web, "Session", exchange->session_id, 0, on_left,
				    flight);
}
