//! What can be said on the command line.

use std::path::PathBuf;

use candid::Principal;
use certifier::network::Network;
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    attest::AttestArguments, audit::AuditCommand, certificate::CertificateCommand, dataset::DatasetCommand,
    demo::DemoArguments, dispute::DisputeArguments, identity::IdentityCommand, infer::InferArguments,
    key::KeyCommand, language::LanguageCommand, localnet::LocalnetCommand, log::LogCommand,
    model::ModelCommand, policy::PolicyCommand, prove::ProveArguments, report::ReportArguments,
    rerun::RerunArguments, role::RoleCommand, verify::VerifyArguments,
};

const AFTER_HELP: &str = "\
Exit codes:
  0  everything asked for was done, and every check held
  1  something could not be done; stderr says what and what to do
  2  the command line is wrong
  3  a certificate or proof failed a check, or a rerun gives something else
  4  the verdict is not `pass`, and --require-pass was given
  5  the certificate is authentic, but expired, superseded, suspended or revoked

Examples:
  assay demo                                   the whole path on an embedded node
  assay localnet start                         an embedded node with the canister, until Ctrl-C
  assay dataset add datasets/german
  assay model import logistic.onnx --dataset datasets/german
  assay model register logistic.assay-model
  assay audit request --model logistic.assay-model --dataset datasets/german --policy policy.json --wait
  assay certificate export 1 -o certificate.json
  assay certificate check certificate.json     offline
  assay rerun 1                                everything again, natively, compared

  assay model register logistic.assay-model --private     the weights stay here
  assay prove 2 --model logistic.assay-model              the audit's zero-knowledge proof
  assay infer --model logistic.assay-model --dataset datasets/german --rows 0 --prove -o prediction.json
  assay verify prediction.json                            anyone, against the registered commitment

  assay log run --model forest.onnx --dataset datasets/german -o forest.log    any ONNX classifier
  assay log sign forest.log --identity me.pem             commits to every prediction at once
  assay log check forest.log/statement.json openings.json

  assay model register forest.onnx --logged --dataset datasets/german          its file stays here
  assay key add --identity me.pem
  assay audit request --log --model forest --dataset datasets/german --policy policy.json --wait
  assay log run --audit 3 --model forest.onnx -o audit-3.log && assay log sign audit-3.log --identity me.pem
  assay log submit audit-3.log --audit 3      opens what the canister draws then
  assay log confirm 3 --model forest.onnx     an auditor runs what was opened

  assay language run --items datasets/language/facts --base-url URL --model NAME -o facts.log
  assay language run --items datasets/language/german-sex --local model.onnx --model NAME -o german.log
  assay language report facts.log                         then `assay log sign`, as above";

/// Certificates for models: audited by a canister, checked offline by anyone
#[derive(Parser)]
#[command(name = "assay", version, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Where the canister is: `local`, `ic`, or a URL (which needs --root-key)
    #[arg(long, global = true, env = "ASSAY_NETWORK", default_value = "local", value_name = "NETWORK")]
    pub network: Network,
    /// The verifier canister; the embedded node's own by default
    #[arg(long, global = true, env = "ASSAY_CANISTER", value_name = "ID")]
    pub canister: Option<Principal>,
    /// Check a certificate of whatever canister it names
    #[arg(long, global = true, conflicts_with = "canister")]
    pub any_canister: bool,
    /// PEM file of the key that signs calls; the embedded node's controller, or nobody, by default
    #[arg(long, global = true, env = "ASSAY_IDENTITY", value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Root key that answers and certificates must lead to: 266 hex digits or a file
    #[arg(long, global = true, env = "ASSAY_ROOT_KEY", value_name = "KEY")]
    pub root_key: Option<String>,
    /// Trust whatever root key the URL's node names; only for a node that you run yourself
    #[arg(long, global = true, conflicts_with = "root_key")]
    pub fetch_root_key: bool,
    /// Folder where the embedded node keeps its state
    #[arg(
        long,
        global = true,
        env = "ASSAY_STATE",
        default_value = ".assay/localnet",
        value_name = "FOLDER"
    )]
    pub state: PathBuf,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no notes on stderr
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run an embedded Internet Computer node with the verifier canister
    #[command(subcommand)]
    Localnet(LocalnetCommand),
    /// Register, list and show datasets
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Import ONNX models; register, list and show integer models
    #[command(subcommand)]
    Model(ModelCommand),
    /// Request audits and follow them
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Show, check, list, export and revoke certificates
    #[command(subcommand)]
    Certificate(CertificateCommand),
    /// Write a checked certificate as a document to read and to print
    Report(ReportArguments),
    /// Run a certificate's audit again on this computer and compare every value
    Rerun(RerunArguments),
    /// List what auditors found about a certificate, or say that it could not be reproduced
    Attest(AttestArguments),
    /// Prove an audit of your private model in zero knowledge, and hand the proof in
    Prove(ProveArguments),
    /// Run an integer model on rows; with --prove, prove what comes out
    Infer(InferArguments),
    /// Verify a proved prediction
    Verify(VerifyArguments),
    /// Run any ONNX classifier into a signed log of predictions; hand logs in, open and check them
    #[command(subcommand)]
    Log(LogCommand),
    /// Ask a language model the prompts of an item set into such a log; report bias, accuracy and coverage
    #[command(subcommand)]
    Language(LanguageCommand),
    /// Register, list and revoke keys that logs are signed with
    #[command(subcommand)]
    Key(KeyCommand),
    /// Have a certificate suspended whose log has a prediction that the public model does not make
    Dispute(DisputeArguments),
    /// Make and check policies
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Make and show keys
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Give, take and list roles
    #[command(subcommand)]
    Role(RoleCommand),
    /// Show the canister's limits, quotas and contents
    Limits,
    /// Show the whole path on an embedded node: register, audit, certify, check offline, run again
    Demo(DemoArguments),
}
