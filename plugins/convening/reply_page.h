/* The page behind a mail's reply link, as HTML that needs neither style nor script. Pure. */
#ifndef CONVENING_REPLY_PAGE_H
#define CONVENING_REPLY_PAGE_H

#include "messages.h"
#include "seats.h"

/* standing NULL: nothing was answered yet. The caller frees. */
char *reply_page(const event_msg *event, const struct seats_standing *standing);

#endif
