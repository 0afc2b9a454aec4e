//! The node: a thread that executes messages, a thread that executes queries, and the HTTP server.
//!
//! The executing thread publishes a snapshot after each message; queries, certificates and the state on disk are
//! made from snapshots, so a message that runs for a minute delays none of them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use candid::Principal;
use tokio::sync::{oneshot, watch};

use crate::NodeError;
use crate::certificate::{Keys, Snapshot};
use crate::disk::{Disk, Saver};
use crate::machine::{Machine, stack};
use crate::subnet::state::RequestStatus;
use crate::subnet::{Clock, Executed, Ingress, Queries, QueryCall, RequestId, Subnet};

/// Longest sleep of the executing thread, so that storage is charged and old requests are forgotten.
const IDLE: Duration = Duration::from_secs(20);

/// How to start a node.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where the state is kept; without it the state is lost with the node.
    pub state_dir: Option<PathBuf>,
    /// Seed of keys and randomness of a new state, for runs that can be repeated.
    pub seed: Option<[u8; 32]>,
    /// Clock that canisters see.
    pub clock: Clock,
}

impl Default for Config {
    /// A free port of this machine, no state directory, random keys, the system's clock.
    fn default() -> Self {
        let bind = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Config { bind, state_dir: None, seed: None, clock: Clock::Wall(0) }
    }
}

/// A running node. Dropping it stops it without waiting; [`Node::shutdown`] waits.
pub struct Node {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    server: tokio::task::JoinHandle<()>,
    threads: Vec<JoinHandle<()>>,
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// What the HTTP handlers use.
pub(crate) struct Shared {
    pub(crate) keys: Arc<Keys>,
    snapshot: RwLock<Arc<Snapshot>>,
    executor: mpsc::Sender<Option<Job<Executor>>>,
    queries: mpsc::Sender<Option<Job<Queries>>>,
    saver: Option<Saver>,
}

/// What the executing thread owns.
pub(crate) struct Executor {
    subnet: Subnet,
    waiting: BTreeMap<RequestId, Vec<oneshot::Sender<()>>>,
    /// What is to be told once the state it speaks of is visible.
    news: Vec<Box<dyn FnOnce() + Send>>,
    changed: bool,
}

impl Node {
    /// Starts a node; it answers requests when this returns.
    ///
    /// # Errors
    ///
    /// When the address or the state directory cannot be used.
    pub async fn start(config: Config) -> Result<Node, NodeError> {
        let listener = tokio::net::TcpListener::bind(config.bind).await;
        let listener = listener.map_err(|source| NodeError::Bind { address: config.bind, source })?;
        let address =
            listener.local_addr().map_err(|source| NodeError::Bind { address: config.bind, source })?;
        let opened = tokio::task::spawn_blocking(move || open(&config));
        let (subnet, disk) = opened.await.map_err(|_| NodeError::Stopped)??;

        let (executor, jobs) = mpsc::channel();
        let (queries, query_jobs) = mpsc::channel();
        let shared = Arc::new(Shared {
            keys: subnet.keys.clone(),
            snapshot: RwLock::new(Arc::new(Snapshot::new(subnet.state.clone()))),
            executor,
            queries,
            saver: disk.as_ref().map(|_| Saver::default()),
        });
        let answers = Queries::new(subnet.machine.clone(), subnet.keys.clone(), subnet.executions.clone());
        let publish = shared.clone();
        let mut threads = vec![
            thread("localnet execute", move || {
                let executor =
                    Executor { subnet, waiting: BTreeMap::new(), news: Vec::new(), changed: false };
                executor.run(&jobs, &publish);
            })?,
            thread("localnet query", move || serve(answers, &query_jobs))?,
        ];
        if let Some(mut disk) = disk {
            let shared = shared.clone();
            threads.push(thread("localnet save", move || {
                if let Some(saver) = &shared.saver {
                    saver.run(&mut disk, &shared.keys);
                }
            })?);
        }
        let (stop, mut stopping) = watch::channel(false);
        let router = crate::http::router(shared.clone());
        let server = tokio::spawn(async move {
            let stopped = async move {
                // An error means that the node was dropped, which stops it too.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            // Accepting connections does not fail for good.
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Node { address, shared, stop, server, threads })
    }

    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Base URL for agents, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// DER encoding of the root key, 133 bytes.
    pub fn root_key(&self) -> Vec<u8> {
        self.shared.keys.root_key_der().to_vec()
    }

    /// Runs `work` on the subnet, between two messages, and returns what it returns.
    ///
    /// # Errors
    ///
    /// [`NodeError::Stopped`] after shutdown.
    pub async fn with_subnet<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Subnet) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        self.shared.execute(|executor| work(&mut executor.subnet)).await
    }

    /// Why the state on disk is behind, if the last attempt to save it failed.
    pub fn save_failure(&self) -> Option<String> {
        self.shared.failure()
    }

    /// What was executed, oldest first; the last few thousand messages, queries included.
    ///
    /// # Errors
    ///
    /// [`NodeError::Stopped`] after shutdown.
    pub async fn executed(&self) -> Result<Vec<Executed>, NodeError> {
        self.with_subnet(|subnet| subnet.executed()).await
    }

    /// Stops the node after the message that runs, and waits until everything is saved.
    pub async fn shutdown(mut self) {
        self.stop_threads();
        let threads = std::mem::take(&mut self.threads);
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        // A panic of a thread was printed when it happened; there is nothing left to do about it.
        let _ = joined.await;
        self.server.abort();
    }

    fn stop_threads(&self) {
        // Each of these fails only if its receiver is gone already.
        let _ = self.stop.send(true);
        let _ = self.shared.executor.send(None);
        let _ = self.shared.queries.send(None);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop_threads();
        self.server.abort();
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, NodeError> {
    let builder = std::thread::Builder::new().name(name.into()).stack_size(stack::THREAD_STACK);
    let started = builder.spawn(|| {
        stack::declare_large();
        work();
    });
    started.map_err(NodeError::Thread)
}

/// The subnet of the state directory, or a new one.
fn open(config: &Config) -> Result<(Subnet, Option<Disk>), NodeError> {
    let Some(directory) = &config.state_dir else {
        return Ok((Subnet::new(config.seed, config.clock)?, None));
    };
    let mut disk = Disk::open(directory)?;
    let machine = Machine::shared()?;
    let subnet = match disk.load(&machine)? {
        Some(loaded) => {
            Subnet::with_state(Keys::from_seed(loaded.seed)?, loaded.state, config.clock, machine)
        }
        None => {
            let subnet = Subnet::new(config.seed, config.clock)?;
            disk.save(subnet.keys.seed(), &subnet.state)?;
            subnet
        }
    };
    Ok((subnet, Some(disk)))
}

fn serve(mut queries: Queries, jobs: &mpsc::Receiver<Option<Job<Queries>>>) {
    while let Ok(Some(job)) = jobs.recv() {
        job(&mut queries);
    }
}

impl Shared {
    /// Why the state on disk is not up to date, if it is not.
    pub(crate) fn failure(&self) -> Option<String> {
        self.saver.as_ref()?.failure()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn execute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Executor) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let (done, result) = oneshot::channel();
        let job: Job<Executor> = Box::new(move |executor| {
            executor.changed = true;
            let outcome = work(executor);
            executor.news.push(Box::new(move || {
                // The one who asked may have gone away.
                let _ = done.send(outcome);
            }));
        });
        self.executor.send(Some(job)).map_err(|_| NodeError::Stopped)?;
        result.await.map_err(|_| NodeError::Stopped)
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Queries) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let (done, result) = oneshot::channel();
        let job: Job<Queries> = Box::new(move |queries| {
            // The one who asked may have gone away.
            let _ = done.send(work(queries));
        });
        self.queries.send(Some(job)).map_err(|_| NodeError::Stopped)?;
        result.await.map_err(|_| NodeError::Stopped)
    }

    /// Answers a query from the latest snapshot.
    pub(crate) async fn query(
        &self,
        call: QueryCall,
    ) -> Result<Result<Vec<u8>, crate::Rejection>, NodeError> {
        let snapshot = self.snapshot();
        self.ask(move |queries| queries.query(&snapshot, call)).await
    }

    /// Lets the canister look at a call before it is queued.
    pub(crate) async fn inspect(&self, call: QueryCall) -> Result<Result<(), crate::Rejection>, NodeError> {
        if call.canister == Principal::management_canister() {
            return Ok(Ok(()));
        }
        let snapshot = self.snapshot();
        self.ask(move |queries| queries.inspect(&snapshot, call)).await
    }

    /// Queues a call. The receiver fires when it is answered, at once if it was already.
    pub(crate) async fn submit(
        &self,
        ingress: Ingress,
    ) -> Result<Result<oneshot::Receiver<()>, crate::Rejection>, NodeError> {
        let (done, answered) = oneshot::channel();
        let submit = move |executor: &mut Executor| {
            let id = ingress.id;
            executor.subnet.submit(ingress)?;
            executor.waiting.entry(id).or_default().push(done);
            Ok(())
        };
        let submitted = self.execute(submit).await?;
        Ok(submitted.map(|()| answered))
    }
}

impl Executor {
    fn run(mut self, jobs: &mpsc::Receiver<Option<Job<Executor>>>, shared: &Shared) {
        self.execute(jobs, shared);
        self.publish(shared);
        if let Some(saver) = &shared.saver {
            saver.stop();
        }
    }

    fn execute(&mut self, jobs: &mpsc::Receiver<Option<Job<Executor>>>, shared: &Shared) {
        let mut busy = true;
        loop {
            let job = if busy {
                match jobs.try_recv() {
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) | Ok(None) => return,
                    Ok(job) => job,
                }
            } else {
                match jobs.recv_timeout(self.until_due()) {
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) | Ok(None) => return,
                    Ok(job) => job,
                }
            };
            if let Some(job) = job {
                job(self);
                self.publish(shared);
                busy = true;
                continue;
            }
            self.subnet.tick();
            self.publish(shared);
            busy = self.subnet.step();
            self.changed |= busy;
            self.publish(shared);
        }
    }

    fn until_due(&self) -> Duration {
        let left = self.subnet.next_due().map(|due| due.saturating_sub(self.subnet.now()));
        left.map_or(IDLE, |nanoseconds| Duration::from_nanos(nanoseconds).min(IDLE))
    }

    /// Makes the state visible, and only then tells those who wait for an answer.
    fn publish(&mut self, shared: &Shared) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let snapshot = Arc::new(Snapshot::new(self.subnet.state.clone()));
        *shared.snapshot.write().unwrap_or_else(PoisonError::into_inner) = snapshot.clone();
        if let Some(saver) = &shared.saver {
            saver.offer(snapshot);
        }
        self.news.drain(..).for_each(|tell| tell());
        let requests = &self.subnet.state.requests;
        self.waiting.retain(|id, waiting| {
            let request = requests.get(id).map(|request| &request.status);
            if !matches!(request, Some(RequestStatus::Answered(_)) | None) {
                return true;
            }
            for done in waiting.drain(..) {
                // Those who no longer listen need no answer.
                let _ = done.send(());
            }
            false
        });
    }
}
