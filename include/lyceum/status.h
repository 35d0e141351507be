/*
 * How anything can end. The values are those of lyceum.v1.Status (the google.rpc codes), so that a
 * status travels unchanged from a daemon's store to a browser.
 */
#ifndef LYCEUM_STATUS_H
#define LYCEUM_STATUS_H

#define LYC_API __attribute__((visibility("default")))
#define LYC_MUST_USE __attribute__((warn_unused_result))
#define LYC_PRINTF(at, first) __attribute__((format(printf, at, first)))

#ifdef __cplusplus
extern "C" {
#endif

enum lyc_status {
	LYC_OK = 0,
	LYC_CANCELLED = 1,
	LYC_UNKNOWN = 2,
	LYC_INVALID_ARGUMENT = 3,
	LYC_DEADLINE_EXCEEDED = 4,
	LYC_NOT_FOUND = 5,
	LYC_ALREADY_EXISTS = 6,
	LYC_PERMISSION_DENIED = 7,
	LYC_RESOURCE_EXHAUSTED = 8,
	LYC_FAILED_PRECONDITION = 9,
	LYC_ABORTED = 10,
	LYC_OUT_OF_RANGE = 11,
	LYC_UNIMPLEMENTED = 12,
	LYC_INTERNAL = 13,
	LYC_UNAVAILABLE = 14,
	LYC_DATA_LOSS = 15,
	LYC_UNAUTHENTICATED = 16,
};

/* A status with the sentence that a person reads, and the path of the field at fault
 * ("expert.orcid") where there is one. */
struct lyc_error {
	enum lyc_status status;
	char text[240];
	char field[120];
};

/* The status's name, "NOT_FOUND"; "UNKNOWN" for a value outside the enum. Valid for ever. Any
 * thread. */
LYC_API const char *lyc_status_name(enum lyc_status status);

#ifdef __cplusplus
}
#endif

#endif
