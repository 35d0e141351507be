/*
 * Deliberate faults, to see that the checks can fail. Each is made in the simulator's disks, links
 * and tables, never in the daemon's own code.
 */
#ifndef LYC_TESTS_SIM_MUTATION_H
#define LYC_TESTS_SIM_MUTATION_H

enum mutation {
	MUTATION_NONE = 0,
	MUTATION_ACK_BEFORE_SYNC, /* the log answers before it has written */
	MUTATION_LYING_DISK,      /* says synced and is not */
	MUTATION_DROP_COPY,       /* a link loses a frame and goes on */
	MUTATION_FORWARD_PRIVATE, /* a link reads private records as public ones */
	MUTATION_FORGET_POSITION, /* a durable name is not found again */
	MUTATION_SKIP_POSITION,   /* a durable name is found further on */
	MUTATION_SWAP_FRAMES,     /* a connection delivers out of order */
	MUTATION_REPEAT_CALL,     /* a link delivers a call twice */
	MUTATION_FORGET_COPIES,   /* a daemon forgets what it holds, and takes it again */
	MUTATION_LOSE_REPLY,      /* a last reply goes astray */
	MUTATION_IGNORE_AFTER,    /* a call arrives without its `after` */
	MUTATION_IGNORE_EXPECT,   /* the log takes whatever the subject's last sequence is */
	MUTATION_FOREIGN_APPEND,  /* a daemon appends to another's key */
	MUTATION_LOSE_REMOVAL,    /* a follower is not told of a withdrawal */
	MUTATION_LOSE_GAP,        /* a subscriber is not told what it missed */
	MUTATION_FORGET_PLACE,    /* a group's place is not found again */
	MUTATION_SKIP_PLACE,      /* a group's place is found further on */
	MUTATION_SHARE_TWICE,     /* a member of a group is sent a record twice */
	MUTATION_KEEP_ERASED,     /* files keep what was to be removed */
	MUTATION_LOSE_FOUND,      /* a link loses what was asked for because it is damaged */
	MUTATION_WRONG_BYTES,     /* the log reads other bytes than were written */
	MUTATION_SINCE_LATER,     /* a start at a time arrives as a later one */
	MUTATION_SINCE_BEFORE,    /* or an earlier one */
	MUTATION_UNBOUNDED,       /* nothing ends a peer that does not read */
	MUTATION_STAY_APART,      /* a node never comes back */
	MUTATION_COUNT,
};

extern const char *const mutation_names[MUTATION_COUNT];
/* MUTATION_COUNT: none of that name. */
enum mutation mutation_of(const char *name);

#endif
