/* Opening the page answers nothing: programs open links, too. Only the form's button does. The web
 * server's own page.css makes it look like the rest; without that it is plain and works as well. */
#include "reply_page.h"

#include "hold.h"
#include "meeting.h"
#include "standing.h"

struct page {
	char *text;
	size_t len;
	size_t size;
};

static void add(struct page *page, const char *text)
{
	size_t len = strlen(text);

	page->text = hold_grow(page->text, &page->size, page->len + len + 1, 1);
	memcpy(page->text + page->len, text, len + 1);
	page->len += len;
}

static void add_escaped(struct page *page, const char *text)
{
	char one[2] = "";

	for (; *text; text++) {
		one[0] = *text;
		add(page, *text == '<'   ? "&lt;"
			  : *text == '>' ? "&gt;"
			  : *text == '&' ? "&amp;"
			  : *text == '"' ? "&quot;"
					 : one);
	}
}

static void add_line(struct page *page, const char *name, const char *text)
{
	if (!text[0])
		return;
	add(page, "<dt>");
	add(page, name);
	add(page, "</dt><dd>");
	add_escaped(page, text);
	add(page, "</dd>\n");
}

static const char *word_of(enum seats_choice choice)
{
	return choice == SEATS_YES ? "yes" : choice == SEATS_NO ? "no" : "maybe";
}

static void add_standing(struct page *page, const event_msg *event,
			 const struct seats_standing *standing)
{
	char because[STANDING_TEXT_SIZE];

	if (!standing || standing->choice == SEATS_UNANSWERED)
		return;
	standing_tell(standing, event, because);
	add(page, "<p role=\"status\"><strong>Your answer: ");
	add(page, word_of(standing->choice));
	add(page, ".</strong> ");
	if (standing->decided_number >= standing->number && standing->state == SEATS_SEATED)
		add(page, "You have a seat.");
	else if (standing->decided_number < standing->number)
		add(page,
		    "It is recorded. The organiser decides as soon as it hears of it; you will "
		    "get a mail if you have to wait for a seat.");
	else if (standing->state == SEATS_WAITING) {
		add(page, "You are on the waiting list: ");
		add_escaped(page, because);
		add(page, ". You get a mail when a seat is yours.");
	} else if (standing->state == SEATS_REFUSED) {
		add(page, "There is no seat: ");
		add_escaped(page, because);
		add(page, ".");
	} else {
		add(page, "You hold no seat. You can change your mind here.");
	}
	add(page, "</p>\n");
}

char *reply_page(const event_msg *event, const struct seats_standing *standing)
{
	struct page page = {0};
	char when[MEETING_WORDS_SIZE];

	meeting_words(event, false, when);
	add(&page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"robots\" content=\"noindex\">\n<title>");
	add_escaped(&page, event->title);
	add(&page, "</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n<body>\n<main "
		   "class=\"reply\">\n<h1>");
	add_escaped(&page, event->title);
	add(&page, "</h1>\n<dl class=\"facts\">\n");
	add_line(&page, "When", when);
	add_line(&page, "Where", event->place);
	add_line(&page, "Online", event->url);
	add(&page, "</dl>\n");
	if (event->description[0]) {
		add(&page, "<p class=\"prose\">");
		add_escaped(&page, event->description);
		add(&page, "</p>\n");
	}
	add_standing(&page, event, standing);
	if (event->status == LYCEUM__CONVENING__V1__EVENT__STATUS__CANCELLED)
		add(&page, "<p><strong>The event is cancelled.</strong></p>\n");
	else
		add(&page, "<form method=\"post\">\n<fieldset>\n<legend>Will you come?</legend>\n"
			   "<button name=\"choice\" value=\"YES\">Yes</button>\n"
			   "<button name=\"choice\" value=\"MAYBE\">Maybe</button>\n"
			   "<button name=\"choice\" value=\"NO\">No</button>\n"
			   "</fieldset>\n</form>\n");
	add(&page, "</main>\n</body>\n</html>\n");
	return page.text;
}
