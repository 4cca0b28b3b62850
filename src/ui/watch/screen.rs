//! The terminal while the live view has it: raw mode and the alternate screen, given back on every way out.

use std::io::{self, Stdout, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::{Frame, Terminal};
use tokio::sync::mpsc;

/// How soon the reader of keys notices that it is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// What comes from the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// It has another size now.
    Resized,
    /// It is gone.
    Closed,
}

/// The terminal, taken over. Given back when the value goes, and before the words of a panic.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    inputs: mpsc::UnboundedReceiver<Input>,
    is_over: Arc<AtomicBool>,
    given_back: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    hook: Arc<Hook>,
}

type Hook = Box<dyn Fn(&std::panic::PanicHookInfo<'_>) + Send + Sync>;

impl Screen {
    /// Takes the terminal over. Errors: it is none.
    pub fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        let entered = execute!(io::stdout(), EnterAlternateScreen)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        let terminal = entered.inspect_err(|_| give_back())?;
        let given_back = Arc::new(AtomicBool::new(false));
        let hook = set_hook(Arc::clone(&given_back));
        let (told, inputs) = mpsc::unbounded_channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let reader = std::thread::spawn(move || read(&told, &over));
        Ok(Self { terminal, inputs, is_over, given_back, reader: Some(reader), hook })
    }

    /// Draws a screen; only what changed is written.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// What comes next from the terminal.
    pub async fn input(&mut self) -> Input {
        self.inputs.recv().await.unwrap_or(Input::Closed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        drop(self.reader.take().map(JoinHandle::join));
        give_back_once(&self.given_back);
        // The hook cannot be changed by a thread that panics; the one that is set has nothing left to give back.
        if !std::thread::panicking() {
            let before = Arc::clone(&self.hook);
            std::panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}

/// A terminal that is gone needs nothing back.
fn give_back() {
    drop(disable_raw_mode());
    drop(execute!(io::stdout(), LeaveAlternateScreen, Show));
    drop(io::stdout().flush());
}

/// Leaving the alternate screen puts the cursor where it was before: a second time, that would be on top of what was written since.
fn give_back_once(given_back: &AtomicBool) {
    if !given_back.swap(true, Ordering::Relaxed) {
        give_back();
    }
}

/// A panic of this thread ends the view: its words belong on the terminal as it was. One of another thread is that task's result, which is shown as such; its
/// words would only tear the screen.
fn set_hook(given_back: Arc<AtomicBool>) -> Arc<Hook> {
    let before: Arc<Hook> = Arc::new(std::panic::take_hook());
    let after = Arc::clone(&before);
    let own = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == own {
            give_back_once(&given_back);
            after(info);
        }
    }));
    before
}

fn read(told: &mpsc::UnboundedSender<Input>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let input = match event::poll(GLANCE) {
            Ok(false) => continue,
            Ok(true) => match event::read() {
                Ok(Event::Key(key)) if key.kind == KeyEventKind::Press => Input::Key(key),
                Ok(Event::Resize(..)) => Input::Resized,
                Ok(_) => continue,
                Err(_) => Input::Closed,
            },
            Err(_) => Input::Closed,
        };
        if told.send(input).is_err() || input == Input::Closed {
            return;
        }
    }
}
