/*
 * abuse [--short]: throws rubbish, bombs and floods at a daemon, over loopback, while an honest
 * client goes on calling. One row for each attack: what came back, and what the bystander felt.
 * Ends with 1 when the daemon died, an answer was not the right one, or the bystander lost a call.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "base/ensure.h"
#include "bystander.h"

#define QUIET_CALLS 2000

static bool is_alive(struct node *node)
{
	return waitpid(node->pid, NULL, WNOHANG) == 0;
}

static void print_row(const char *name, bool is_right, const char *text,
		      const struct bystander_view *view)
{
	printf("%-40s %6llu %8llu %7zu  %s%s\n", name, (unsigned long long)view->p50_us,
	       (unsigned long long)view->p99_us, view->call_count, is_right ? "" : "WRONG: ", text);
	if (view->lost_count > 0)
		printf("  the bystander LOST %zu calls: %s\n", view->lost_count, view->text);
	fflush(stdout);
}

static bool run_all(const struct target *target, const struct attack *attacks,
		    struct bystander *bystander)
{
	bool is_right = true;
	for (const struct attack *attack = attacks; attack->name; attack++) {
		struct verdict verdict = {0};
		attack->run(target, &verdict);
		/* What it left behind is felt by these. */
		bystander_wait(bystander, 20);
		struct bystander_view view = bystander_look(bystander);
		bool is_dead = !is_alive(target->node);
		if (is_dead)
			verdict_set(&verdict, false, "the daemon DIED");
		is_right = is_right && verdict.is_right && view.lost_count == 0;
		print_row(attack->name, verdict.is_right, verdict.text, &view);
		if (is_dead)
			return false;
	}
	return is_right;
}

static struct node *start_target(struct network *network, struct keypair *ret_keys)
{
	struct lyc_error error;
	struct node *node = network_add(network, "target", NULL);
	ensure(keyfile_make(ret_keys, &error) == LYC_OK);
	node_add_plugin(node, "echo", NULL, "process");
	node_add_plugin(node, "experts", NULL, "process");
	node_add_key(node, "bystander", ret_keys, "role: PERSON");
	node_add_key(node, "anonymous", NULL, "role: PERSON");
	node->has_plain = true;
	node_start(node);
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(node, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	return node;
}

int main(int argc, char **argv)
{
	struct target target = {.is_short = argc > 1 && strcmp(argv[1], "--short") == 0};
	struct keypair keys;
	if (argc > 1 && !target.is_short) {
		fputs("Usage: abuse [--short]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct network *network = network_new();
	target.node = start_target(network, &keys);
	node_plain_endpoint(target.node, target.plain, sizeof(target.plain));
	struct bystander *bystander = bystander_start(target.node, &keys);
	uint64_t before_ms = network_now_ms();
	bystander_wait(bystander, target.is_short ? QUIET_CALLS / 10 : QUIET_CALLS);
	struct bystander_view quiet = bystander_look(bystander);
	printf("%-40s %6s %8s %7s  %s\n", "", "p50 us", "p99 us", "calls", "came back");
	print_row("nothing: the bystander alone", true, "", &quiet);
	bool is_right = run_all(&target, attacks_of_bytes, bystander) &&
			run_all(&target, attacks_of_packets, bystander);
	bystander_stop(bystander);
	/* And it still ends as it should. */
	if (is_right)
		node_stop(target.node);
	printf("%s, %llu ms\n",
	       is_right ? "the daemon stands, every answer was right, no call was lost"
			: "NOT as it should be",
	       (unsigned long long)(network_now_ms() - before_ms));
	network_free(network);
	return is_right && quiet.lost_count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
