/*
 * What the stories of events begin with: a hub and two regions that run `convening` and send mail,
 * one of them with experts; and commands whose outcome is expected.
 */
#ifndef LYC_SYSTEM_REGIONS_H
#define LYC_SYSTEM_REGIONS_H

#include "mail_sink.h"
#include "shell.h"

#define ADA "ada.okafor@cardiff.example"
#define BOB "bob@leeds.example"

/* Of the story that runs. */
extern struct network *network;
extern struct node *hub;
extern struct node *nhsa;
extern struct node *wales;
extern struct mail_sink *nhsa_mail;
extern struct mail_sink *wales_mail;
/* Of the last RUN. */
extern struct shell_result result;

int regions_start(void **state);
int regions_stop(void **state);
/* Until so many mails to this address have come that hold the text; not one more. */
void wait_for_mail(struct mail_sink *sink, const char *to, const char *text, size_t count);

/* Runs a command that has to succeed. */
#define RUN(node, ...)                                                                             \
	do {                                                                                       \
		/* The story's own clients give signs of life meanwhile. */                        \
		network_run(network, 0);                                                           \
		shell_result_fini(&result);                                                        \
		result = shell_run(node, __VA_ARGS__, NULL);                                       \
		if (result.code != 0)                                                              \
			fail_msg("%s: %s", result.out, result.err);                                \
	} while (0)

/* Runs a command that has to be refused with these words. */
#define REFUSED(node, text, ...)                                                                   \
	do {                                                                                       \
		struct shell_result said = shell_run(node, __VA_ARGS__, NULL);                     \
		if (said.code == 0 || !strstr(said.err, text))                                     \
			fail_msg("not '%s' but: %s %s", text, said.out, said.err);                 \
		shell_result_fini(&said);                                                          \
	} while (0)

#endif
