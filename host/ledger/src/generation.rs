//! Generations: the rules and settings as they were, and their decision for each resource.

use crate::block::{BlockReader, put_column, put_u32};
use crate::digest::{Hash, of_bytes};
use crate::error::{corrupt, misuse};
use crate::outcome;
use crate::row;
use crate::{GenerationId, GenerationRow, Reader, Result, Transaction};
use domain::decision::{Outcome, OutcomeId};
use domain::entry::RuleVersion;
use domain::generation::Generation;
use domain::port::{Mutual, RuleFacts, Rules, Stage};
use domain::run::RunId;
use rusqlite::Row;

/// Decisions of one block.
const BLOCK_ITEMS: usize = 65_536;

impl Reader {
    /// By resource; may be shorter than the dictionary.
    pub fn decisions(&self, generation: GenerationId) -> Result<Vec<OutcomeId>> {
        let mut decisions = Vec::new();
        let sql =
            "SELECT first, count, data FROM decision_block WHERE generation = ?1 ORDER BY first";
        row::rows(&self.connection, sql, [generation.0], |row| {
            let (first, count) = (row::count(row, 0)? as usize, row::count(row, 1)? as usize);
            let data: Vec<u8> = row::cell(row, 2)?;
            let mut reader = BlockReader::new(&data);
            let mut numbers: Vec<u32> = Vec::new();
            if reader.count()? != count || first != decisions.len() {
                return Err(corrupt(format!(
                    "the decisions of generation {} do not follow on each other \
                     at resource {first}",
                    generation.0
                )));
            }
            reader.column(count, &mut numbers)?;
            reader.end()?;
            decisions.extend(numbers.into_iter().map(OutcomeId));
            Ok(())
        })?;
        Ok(decisions)
    }

    /// `OutcomeId` is the index.
    pub fn outcomes(&self, generation: GenerationId) -> Result<Vec<Outcome>> {
        self.outcome_texts(generation)?.iter().map(|text| outcome::read(text)).collect()
    }

    fn outcome_texts(&self, generation: GenerationId) -> Result<Vec<String>> {
        let mut due = 0;
        row::rows(
            &self.connection,
            "SELECT number, outcome FROM outcome WHERE generation = ?1 ORDER BY number",
            [generation.0],
            |row| {
                if row::count(row, 0)? != due {
                    return Err(corrupt(format!(
                        "outcome {due} of generation {} is missing",
                        generation.0
                    )));
                }
                due += 1;
                row::cell(row, 1)
            },
        )
    }

    /// In the order in which they were tried.
    pub fn rules(&self, generation: GenerationId) -> Result<Vec<RuleFacts>> {
        let sql = "SELECT r.rule, r.digest, r.name, r.priority, r.owner, r.review_by,
            r.description, r.enabled, r.valid_from, r.valid_until, t.text,
             r.stage, r.team, r.mutual
             FROM rule r JOIN source_text t ON t.digest = r.source_text
             WHERE r.generation = ?1 ORDER BY r.number";
        row::rows(&self.connection, sql, [generation.0], |row| {
            Ok(RuleFacts {
                version: RuleVersion { rule: row::cell(row, 0)?, digest: row::cell(row, 1)? },
                name: row::cell(row, 2)?,
                priority: row::cell(row, 3)?,
                owner: row::cell(row, 4)?,
                review_by: row::optional_day(row, 5)?,
                description: row::cell(row, 6)?,
                enabled: row::cell(row, 7)?,
                from: row::optional_day(row, 8)?,
                until: row::optional_day(row, 9)?,
                source: row::cell(row, 10)?,
                stage: stage(row::cell(row, 11)?, row::cell(row, 12)?)?,
                mutual: mutual(row::cell(row, 13)?)?,
            })
        })
    }

    /// Lookup tables by name with their text.
    pub fn tables(&self, generation: GenerationId) -> Result<Vec<(String, String)>> {
        let sql = "SELECT r.name, t.text FROM rule_table r
            JOIN source_text t ON t.digest = r.source_text WHERE r.generation = ?1 ORDER BY r.name";
        row::rows(&self.connection, sql, [generation.0], |row| {
            Ok((row::cell(row, 0)?, row::cell(row, 1)?))
        })
    }

    /// The settings that decided money, by section with their text. Generations from before these
    /// were stored have none.
    pub fn settings(&self, generation: GenerationId) -> Result<Vec<(String, String)>> {
        let sql = "SELECT s.name, t.text FROM generation_setting s
            JOIN source_text t ON t.digest = s.source_text WHERE s.generation = ?1 ORDER BY s.name";
        row::rows(&self.connection, sql, [generation.0], |row| {
            Ok((row::cell(row, 0)?, row::cell(row, 1)?))
        })
    }

    /// The generation of the run that collected a source last with success.
    pub fn last_collected_by(&self, source: &str) -> Result<Option<GenerationId>> {
        let sql = "SELECT e.generation FROM attempt a JOIN run_end e ON e.run = a.run
            WHERE a.source = ?1 AND a.code IS NULL ORDER BY a.id DESC LIMIT 1";
        row::row(&self.connection, sql, [source], |row| row::cell(row, 0).map(GenerationId))
    }

    /// Every generation that a run has used, oldest first.
    pub fn generations(&self) -> Result<Vec<GenerationRow>> {
        row::rows(
            &self.connection,
            "SELECT g.id, g.digest, g.run, r.started_at_ms,
                 (SELECT count(*) FROM run_end e WHERE e.generation = g.id)
             FROM generation g JOIN run r ON r.id = g.run ORDER BY g.id",
            [],
            |row| {
                Ok(GenerationRow {
                    id: GenerationId(row::cell(row, 0)?),
                    generation: generation(row, 1)?,
                    run: RunId(row::cell(row, 2)?),
                    first_used_at_ms: row::cell(row, 3)?,
                    runs: row::count(row, 4)?,
                })
            },
        )
    }

    /// The number of a generation, if a run has used it.
    pub fn generation_id(&self, generation: &Generation) -> Result<Option<GenerationId>> {
        let sql = "SELECT id FROM generation WHERE digest = ?1";
        row::row(&self.connection, sql, [generation.to_string()], |row| {
            row::cell(row, 0).map(GenerationId)
        })
    }

    pub fn generation(&self, id: GenerationId) -> Result<Option<Generation>> {
        let sql = "SELECT digest FROM generation WHERE id = ?1";
        row::row(&self.connection, sql, [id.0], |row| generation(row, 0))
    }
}

fn generation(row: &Row<'_>, at: usize) -> Result<Generation> {
    Ok(Generation::parse(row::text(row, at)?))
}

fn stage(name: String, team: Option<String>) -> Result<Stage> {
    match (name.as_str(), team) {
        ("attribution", None) => Ok(Stage::Attribution),
        ("distribution", None) => Ok(Stage::Distribution),
        ("cascade", Some(team)) => Ok(Stage::Cascade(team)),
        (_, team) => Err(corrupt(format!("a rule's stage is '{name}', of the team {team:?}"))),
    }
}

fn mutual(name: String) -> Result<Mutual> {
    Mutual::by_name(&name)
        .ok_or_else(|| corrupt(format!("a rule solves mutual services by '{name}'")))
}

impl Transaction<'_> {
    /// Stores rules, tables and settings, unless the same ones are there. Rules with turning days
    /// are stored once for each stretch of days that they are used for.
    pub fn save_generation(
        &mut self,
        rules: &dyn Rules,
        stretch: Option<u32>,
    ) -> Result<GenerationId> {
        let generation = Generation::new(rules.generation(), stretch);
        if let Some(known) = self.ledger.generation_id(&generation)? {
            return Ok(known);
        }
        let connection = &self.ledger.connection;
        let id = GenerationId(row::number(
            connection,
            "SELECT coalesce(max(id), 0) + 1 FROM generation",
            [],
        )?);
        row::execute(
            connection,
            "INSERT INTO generation (id, run, digest) VALUES (?1, ?2, ?3)",
            (id.0, self.run.0, generation.to_string()),
        )?;
        for (number, facts) in rules.facts().iter().enumerate() {
            self.save_rule(id, number, facts)?;
        }
        let texts = [
            (
                rules.tables(),
                "INSERT INTO rule_table (generation, name, source_text) VALUES (?1, ?2, ?3)",
            ),
            (
                rules.settings(),
                "INSERT INTO generation_setting (generation, name, source_text)
                 VALUES (?1, ?2, ?3)",
            ),
        ];
        for (texts, sql) in texts {
            for (name, text) in texts {
                let digest = self.save_text(&text)?;
                row::execute(&self.ledger.connection, sql, (id.0, name, digest))?;
            }
        }
        Ok(id)
    }

    fn save_rule(&self, generation: GenerationId, number: usize, facts: &RuleFacts) -> Result<()> {
        let source_text = self.save_text(&facts.source)?;
        let sql = "INSERT INTO rule (generation, number, rule, digest, name, priority, owner,
            review_by, description, enabled, valid_from, valid_until, source_text,
             stage, team, mutual)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
        let days = [facts.review_by, facts.from, facts.until]
            .map(|day| day.map(domain::period::Day::epoch_days));
        let [review_by, from, until] = days;
        let team = match &facts.stage {
            Stage::Cascade(team) => Some(team),
            Stage::Attribution | Stage::Distribution => None,
        };
        row::execute(
            &self.ledger.connection,
            sql,
            rusqlite::params![
                generation.0,
                number as i64,
                facts.version.rule,
                facts.version.digest,
                facts.name,
                facts.priority,
                facts.owner,
                review_by,
                facts.description,
                facts.enabled,
                from,
                until,
                source_text,
                facts.stage.name(),
                team,
                facts.mutual.name()
            ],
        )
    }

    fn save_text(&self, text: &str) -> Result<Hash> {
        let digest = of_bytes(text.as_bytes());
        let sql = "INSERT INTO source_text (digest, run, text) SELECT ?1, ?2, ?3
            WHERE NOT EXISTS (SELECT 1 FROM source_text WHERE digest = ?1)";
        row::execute(&self.ledger.connection, sql, (digest, self.run.0, text))?;
        Ok(digest)
    }

    /// Appends new decisions. Those that are stored must be the same: a generation decides once.
    pub fn save_decisions(
        &mut self,
        generation: GenerationId,
        outcomes: &[Outcome],
        decisions: &[OutcomeId],
    ) -> Result<()> {
        let connection = &self.ledger.connection;
        let stored = self.ledger.outcome_texts(generation)?;
        for (number, outcome) in outcomes.iter().enumerate() {
            let text = outcome::write(outcome);
            match stored.get(number) {
                Some(known) if *known == text || outcome::read(known)? == *outcome => {}
                Some(known) => {
                    return Err(misuse(format!(
                        "outcome {number} of generation {} was {known} and would become {text}",
                        generation.0
                    )));
                }
                None => {
                    let sql = "INSERT INTO outcome (generation, number, run, outcome)
                        VALUES (?1, ?2, ?3, ?4)";
                    row::execute(connection, sql, (generation.0, number as i64, self.run.0, text))?;
                }
            }
        }
        let known = outcomes.len().max(stored.len());
        if let Some(unknown) = decisions
            .iter()
            .find(|decision| **decision != OutcomeId::PER_CHARGE && decision.0 as usize >= known)
        {
            return Err(misuse(format!("a decision names outcome {} of {known}", unknown.0)));
        }
        self.append_decisions(generation, decisions)
    }

    fn append_decisions(&self, generation: GenerationId, decisions: &[OutcomeId]) -> Result<()> {
        let stored = self.ledger.decisions(generation)?;
        if let Some(resource) =
            stored.iter().zip(decisions).position(|(known, given)| known != given)
        {
            return Err(misuse(format!(
                "the decision of generation {} for resource {resource} would change",
                generation.0
            )));
        }
        let appended = decisions.get(stored.len()..).unwrap_or_default();
        for (block, first) in
            appended.chunks(BLOCK_ITEMS).zip((stored.len()..).step_by(BLOCK_ITEMS))
        {
            let numbers: Vec<u32> = block.iter().map(|decision| decision.0).collect();
            let mut data = Vec::new();
            put_u32(&mut data, numbers.len() as u32);
            put_column(&mut data, &numbers);
            let sql = "INSERT INTO decision_block (generation, first, count, run, data)
                VALUES (?1, ?2, ?3, ?4, ?5)";
            row::execute(
                &self.ledger.connection,
                sql,
                (generation.0, first as i64, numbers.len() as i64, self.run.0, data),
            )?;
        }
        Ok(())
    }
}
