//! Signing in, and the pages of the links that set a password.

use crate::domain::business::Business;
use crate::domain::password::MIN_CHARS;
use crate::views::layout::{lone, note};
use crate::views::url;
use maud::{Markup, html};

/// The sign-in form, with what was wrong.
pub fn login(business: &Business, email: &str, next: &str, error: Option<&str>) -> Markup {
    let body = html! {
        section.card {
            header { h1 { "Sign in" } }
            div.body {
                form.form method="post" action=(url::LOGIN) {
                    @if let Some(words) = error { (note("bad", words)) }
                    input type="hidden" name="next" value=(next);
                    div.field {
                        label for="email" { "E-mail" }
                        input #email name="email" type="email" autocomplete="username" required maxlength="254" value=(email);
                    }
                    div.field {
                        label for="password" { "Password" }
                        input #password name="password" type="password" autocomplete="current-password" required;
                    }
                    button.btn.primary.wide type="submit" { "Sign in" }
                    a.link href=(url::RESET) { "Forgot your password?" }
                }
            }
        }
    };
    lone(business, "Sign in", &body)
}

/// Asks for a link.
pub fn forgot(business: &Business, email: &str, error: Option<&str>) -> Markup {
    let body = html! {
        section.card {
            header { h1 { "Set a new password" } }
            div.body {
                form.form method="post" action=(url::RESET) {
                    @if let Some(words) = error { (note("bad", words)) }
                    p { "We send you a link that works once, for an hour." }
                    div.field {
                        label for="email" { "E-mail" }
                        input #email name="email" type="email" autocomplete="username" required maxlength="254" value=(email);
                    }
                    button.btn.primary.wide type="submit" { "Send the link" }
                    a.link href=(url::LOGIN) { "Back to sign-in" }
                }
            }
        }
    };
    lone(business, "Set a new password", &body)
}

/// The same answer whether or not there is such an account.
pub fn sent(business: &Business) -> Markup {
    let body = html! {
        section.card {
            header { h1 { "Look into your mail" } }
            div.body.stack {
                p { "If there is an account with this address, a link is on its way." }
                a.btn href=(url::LOGIN) { "Back to sign-in" }
            }
        }
    };
    lone(business, "Look into your mail", &body)
}

/// Sets a password: the first one, or a new one.
pub fn password(
    business: &Business,
    action: &str,
    name: &str,
    email: &str,
    is_first: bool,
    error: Option<&str>,
) -> Markup {
    let title = if is_first {
        "Welcome"
    } else {
        "Set a new password"
    };
    let body = html! {
        section.card {
            header { h1 { (title) @if is_first { ", " (name) } } }
            div.body {
                form.form method="post" action=(action) {
                    @if let Some(words) = error { (note("bad", words)) }
                    @if is_first { p { "Choose a password, and you are in." } }
                    input type="hidden" name="username" autocomplete="username" value=(email);
                    div.field {
                        label for="password" { "Password" }
                        input #password name="password" type="password" autocomplete="new-password" required minlength=(MIN_CHARS) aria-describedby="password-hint";
                        p.hint #password-hint { "At least " (MIN_CHARS) " characters. A few words in a row are easy to remember." }
                    }
                    button.btn.primary.wide type="submit" { "Set password and sign in" }
                }
            }
        }
    };
    lone(business, title, &body)
}

/// A link that lets nobody in any more.
pub fn ended(business: &Business) -> Markup {
    let body = html! {
        section.card {
            header { h1 { "This link has ended" } }
            div.body.stack {
                p { "It was used already, or is too old. Ask for a new one." }
                div.acts { a.btn.primary href=(url::RESET) { "Send a new link" } a.btn href=(url::LOGIN) { "Sign in" } }
            }
        }
    };
    lone(business, "This link has ended", &body)
}
