//! Keys: what they change in the model, and what they wish from outside.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::log::Log;
use super::model::{View, Watch};

/// What a key wishes that the model itself cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// To leave.
    Leave,
    /// To leave by Ctrl-C.
    Interrupt,
    /// All machines asked again at once.
    AskNow,
    /// The log of oMLX on the machine of this name.
    Follow(String),
    /// That no log is followed any more.
    Unfollow,
}

/// Lines that a page key moves by.
const PAGE: isize = 10;

impl Watch {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Wish {
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Wish::Interrupt;
        }
        if self.is_typing {
            self.type_filter(key);
            return Wish::Nothing;
        }
        match (key.code, self.view) {
            (KeyCode::Char('q'), View::Fleet) => return Wish::Leave,
            (KeyCode::Char('q') | KeyCode::Esc | KeyCode::Backspace | KeyCode::Left, View::Log) => {
                self.view = View::Machine;
                return Wish::Unfollow;
            }
            (KeyCode::Esc, View::Fleet) => self.filter.clear(),
            (
                KeyCode::Char('q' | '?') | KeyCode::Esc | KeyCode::Backspace | KeyCode::Left,
                View::Machine | View::Help,
            ) if !(key.code == KeyCode::Char('?') && self.view == View::Machine) => {
                self.view = View::Fleet;
            }
            (KeyCode::Char('?'), _) => self.view = View::Help,
            (KeyCode::Char('r'), _) => return Wish::AskNow,
            (KeyCode::Char('s'), View::Fleet) => self.sort = self.sort.next(),
            (KeyCode::Char('/'), View::Fleet) => {
                self.filter.clear();
                self.is_typing = true;
            }
            (KeyCode::Enter | KeyCode::Right, View::Fleet) if self.chosen_row().is_some() => {
                self.scroll = 0;
                self.view = View::Machine;
            }
            (KeyCode::Char('l'), View::Fleet | View::Machine) => {
                let Some(name) = self.chosen_row().map(|row| row.name.clone()) else { return Wish::Nothing };
                self.log = Log::of(&name);
                self.view = View::Log;
                return Wish::Follow(name);
            }
            (KeyCode::Up | KeyCode::Char('k'), _) => self.go(-1),
            (KeyCode::Down | KeyCode::Char('j'), _) => self.go(1),
            (KeyCode::PageUp, _) => self.go(-PAGE),
            (KeyCode::PageDown | KeyCode::Char(' '), _) => self.go(PAGE),
            (KeyCode::Home | KeyCode::Char('g'), _) => self.go(isize::MIN),
            (KeyCode::End | KeyCode::Char('G'), _) => self.go(isize::MAX),
            _ => {}
        }
        Wish::Nothing
    }

    fn type_filter(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) if !c.is_control() => self.filter.push(c),
            _ => {}
        }
    }

    fn go(&mut self, by: isize) {
        match self.view {
            View::Fleet => self.choose(by),
            View::Machine => {
                let by = i16::try_from(by.clamp(-10_000, 10_000)).unwrap_or(0);
                self.scroll = self.scroll.saturating_add_signed(by);
            }
            View::Log => self.log.scroll(by.saturating_neg()),
            View::Help => {}
        }
    }
}
