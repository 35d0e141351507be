/* The directory's answer to an enquiry: the hits of a search in the words of all enquiries. */
#ifndef EXPERTS_ENQUIRY_H
#define EXPERTS_ENQUIRY_H

#include <lyceum/v1/enquiry.pb-c.h>

#include "search.h"

/* Never fails. The caller frees with lyceum__v1__enquiry_answer__free_unpacked. */
Lyceum__V1__EnquiryAnswer *enquiry_answer(struct view *view, const Lyceum__V1__Enquiry *enquiry,
					  search_may_see_fn may_see, void *arg);

#endif
