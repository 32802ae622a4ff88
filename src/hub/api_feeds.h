/* Feeds: a collection in the form of those who use it. What was made is kept until it would be another. */
#pragma once

struct feeds;
struct feeds *feeds_new(void); /* NULL: no memory */
void feeds_free(struct feeds *feeds);
