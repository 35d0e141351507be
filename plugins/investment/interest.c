/* The copy that is this node's own is what it has seen: kept in the log, withdrawn or not. */
#include "interest.h"

#include <string.h>

#include "blind.h"
#include "score.h"

static bool has_node(char *const *path, size_t count, const char *node)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(path[i], node) == 0)
			return true;
	}
	return false;
}

void interest_shares(size_t count, uint32_t *ret_millionths)
{
	for (size_t i = 0; i < count; i++)
		ret_millionths[i] =
			(uint32_t)(INTEREST_WHOLE / count + (i < INTEREST_WHOLE % count));
}

char *interest_path_text(struct pad *pad, char *const *path, size_t count)
{
	return pad_join(pad, path, count, " > ");
}

/* A copy of another node that still stands, and that this node is not in the path of. */
static const interest_msg *received(const struct desk *desk, const char *id)
{
	VIEW_EACH(held, &desk->view, KIND_INTEREST)
	{
		const interest_msg *interest = (const void *)held->message;
		if (strcmp(interest->id, id) == 0 && strcmp(interest->home, desk->node) != 0 &&
		    interest->n_path > 0 &&
		    strcmp(interest->path[interest->n_path - 1], interest->home) == 0 &&
		    !has_node(interest->path, interest->n_path, desk->node))
			return interest;
	}
	return NULL;
}

const interest_msg *interest_known(const struct desk *desk, const char *id)
{
	const interest_msg *own = view_find(&desk->view, KIND_INTEREST, desk->node, id, NULL);

	return own ? own : received(desk, id);
}

const interest_fit_msg *interest_fit_of(const struct view *view, const char *venture,
					const char *investor)
{
	VIEW_EACH(held, view, KIND_INTEREST_FIT)
	{
		const interest_fit_msg *fit = (const void *)held->message;
		if (strcmp(fit->venture, venture) == 0 && strcmp(fit->investor, investor) == 0)
			return fit;
	}
	return NULL;
}

static char **path_with(struct pad *pad, const interest_msg *interest, const char *node,
			size_t *ret_count)
{
	char **path = NULL;
	size_t count = 0;

	for (size_t i = 0; i < interest->n_path; i++)
		pad_push(pad, &path, &count, pad_copy(pad, interest->path[i]));
	pad_push(pad, &path, &count, pad_copy(pad, node));
	*ret_count = count;
	return path;
}

static void pass_on(struct task *task, const interest_msg *interest)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;
	const char *next[64];
	size_t count = 0;

	if (interest->steps_left == 0 || interest->n_path >= 15 ||
	    view_held(&desk->view, KIND_INTEREST, desk->node, interest->id, NULL))
		return;
	for (size_t i = 0; i < desk->neighbour_count && count < 64; i++) {
		if (!has_node(interest->path, interest->n_path, desk->neighbours[i]) &&
		    strcmp(desk->neighbours[i], desk->node) != 0)
			next[count++] = desk->neighbours[i];
	}
	if (count == 0)
		return;
	interest_msg *copy = pad_copy_message(pad, &interest->base);
	copy->home = (char *)(uintptr_t)desk->node;
	copy->path = path_with(pad, interest, desk->node, &copy->n_path);
	copy->steps_left = interest->steps_left - 1;
	copy->label = desk_label_for(desk, pad, next, count);
	task_append_over(task, copy, NULL);
}

/* ---- Fits ---- */

struct candidate {
	const char *token;
	int64_t points;
};

static size_t find_fits(struct task *task, const interest_msg *interest, int64_t now_ms,
			struct candidate best[INTEREST_MAX_FITS])
{
	struct desk *desk = task->desk;
	const struct rules rules = {.at_ms = now_ms};
	const struct score_facts facts = {.is_interested = true};
	struct rules_investor wanted = blind_rules_investor(interest->investor, interest->wanted);
	size_t count = 0;

	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		struct refusal refusals[RULE_COUNT];
		struct score score;
		if (strcmp(profile->home, desk->node) != 0 || !profile->blind)
			continue;
		struct rules_venture venture = blind_rules_venture(profile->token, profile->blind);
		if (rules_check(&rules, &venture, &wanted, refusals) > 0)
			continue;
		score_pair(&rules, &venture, &wanted, &facts, SCORE_FOR_INVESTOR, &score);
		size_t at = count < INTEREST_MAX_FITS ? count : INTEREST_MAX_FITS;
		while (at > 0 && (best[at - 1].points < score.total ||
				  (best[at - 1].points == score.total &&
				   strcmp(best[at - 1].token, profile->token) > 0))) {
			if (at < INTEREST_MAX_FITS)
				best[at] = best[at - 1];
			at--;
		}
		if (at < INTEREST_MAX_FITS) {
			best[at] = (struct candidate){profile->token, score.total};
			count += count < INTEREST_MAX_FITS;
		}
	}
	return count;
}

static size_t count_fits(const struct desk *desk, const char *interest)
{
	size_t count = 0;

	VIEW_EACH(held, &desk->view, KIND_INTEREST_FIT)
	{
		const interest_fit_msg *fit = (const void *)held->message;
		count += strcmp(fit->home, desk->node) == 0 && strcmp(fit->interest, interest) == 0;
	}
	return count;
}

static void look_for_fits(struct task *task, const interest_msg *interest, int64_t now_ms)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;
	struct candidate best[INTEREST_MAX_FITS];
	size_t told = count_fits(desk, interest->id);

	/* The path with this node in it is as long as a record may have it: 16. */
	if (!interest->wanted || told >= INTEREST_MAX_FITS || interest->n_path >= 16)
		return;
	size_t count = find_fits(task, interest, now_ms, best);
	for (size_t i = 0; i < count && told < INTEREST_MAX_FITS; i++) {
		if (view_held(&desk->view, KIND_INTEREST_FIT, desk->node, interest->id,
			      best[i].token))
			continue;
		interest_fit_msg *fit = PAD_NEW(pad, interest_fit);
		fit->home = (char *)(uintptr_t)desk->node;
		fit->interest = pad_copy(pad, interest->id);
		fit->venture = pad_copy(pad, best[i].token);
		fit->investor = pad_copy(pad, interest->investor);
		fit->points = best[i].points;
		fit->path = path_with(pad, interest, desk->node, &fit->n_path);
		fit->label = desk_label_for(desk, pad, (const char *const *)fit->path, fit->n_path);
		task_append_over(task, fit, NULL);
		told++;
	}
}

/* Does the copy still stand by which an interest came here along this path, this node the last?
 * Only that one counts: copies that held each other up by other ways round would never go. */
static bool still_comes(const struct desk *desk, const char *id, char *const *path, size_t count)
{
	if (count < 2)
		return false;
	const interest_msg *before =
		view_find(&desk->view, KIND_INTEREST, path[count - 2], id, NULL);
	if (!before || before->n_path != count - 1)
		return false;
	for (size_t i = 0; i < before->n_path; i++) {
		if (strcmp(before->path[i], path[i]) != 0)
			return false;
	}
	return true;
}

/* What stands on something that is gone. */
static void withdraw_rest(struct task *task)
{
	struct desk *desk = task->desk;
	struct party party;

	VIEW_EACH(held, &desk->view, KIND_INTEREST)
	{
		const interest_msg *interest = (const void *)held->message;
		if (strcmp(interest->home, desk->node) != 0)
			continue;
		bool is_first = interest->n_path <= 1;
		if (is_first ? !desk_party(desk, SIDE_INVESTOR, interest->investor, &party)
			     : !still_comes(desk, interest->id, interest->path, interest->n_path))
			task_withdraw(task, interest);
	}
	VIEW_EACH(held, &desk->view, KIND_INTEREST_FIT)
	{
		const interest_fit_msg *fit = (const void *)held->message;
		if (strcmp(fit->home, desk->node) == 0 &&
		    (!still_comes(desk, fit->interest, fit->path, fit->n_path) ||
		     !desk_party(desk, SIDE_VENTURE, fit->venture, &party)))
			task_withdraw(task, fit);
	}
}

void interest_collect(struct task *task, int64_t now_ms)
{
	struct desk *desk = task->desk;

	VIEW_EACH(held, &desk->view, KIND_INTEREST)
	{
		const interest_msg *interest = (const void *)held->message;
		/* Several copies of one interest: the first that came is followed. */
		if (received(desk, interest->id) != interest)
			continue;
		pass_on(task, interest);
		look_for_fits(task, interest, now_ms);
	}
	withdraw_rest(task);
}
