/* What answers `lyceum ask`: ventures whose blind profile fits the words, and, for those who may
 * see them, ventures by name. */
#ifndef INVESTMENT_ENQUIRY_H
#define INVESTMENT_ENQUIRY_H

#include "desk.h"

typedef bool (*enquiry_may_see_fn)(void *arg, const label_msg *label);

Lyceum__V1__EnquiryAnswer *enquiry_answer(const struct desk *desk, struct pad *pad,
					  const Lyceum__V1__Enquiry *enquiry,
					  enquiry_may_see_fn may_see, void *arg);

#endif
