-- The tables of ARIA that the simulated clinic fills: names and types as a real one has them.
-- No foreign keys and no NOT NULL: readers are tested against what a row may say, not against what SQLite refuses.

CREATE TABLE Patient (
    PatientSer bigint, PatientId varchar(25), PatientId2 varchar(25), PatientUID varchar(64),
    PatientType varchar(30), CreationDate datetime, CreationUserName varchar(255), SSN varchar(64),
    FirstName varchar(64), MiddleName varchar(64), LastName varchar(64), NameSuffix varchar(16),
    Honorific varchar(16), DateOfBirth datetime, Sex varchar(16), WorkPhone varchar(64),
    HomePhone varchar(64), Citizenship varchar(64), Race varchar(64), BirthCountry varchar(64),
    BirthState varchar(64), BirthCounty varchar(64), BirthCity varchar(64), PatientIdIssuer varchar(255),
    MaidenName varchar(64), MothersMaidenName varchar(64), MedRecordLocator varchar(64),
    Language varchar(64), Occupation varchar(64), SpecialNeeds varchar(64), ReligiousPreference varchar(64),
    ArchiveDate datetime, ArchiveVolume varchar(32), Comment varchar(254), ClinicalTrialFlag int,
    FileDataSiteID varchar(254), HstryDateTime datetime, MobilePhone varchar(64), Ethnicity varchar(64),
    MobilePhoneProviderSer bigint, PRIMARY KEY (PatientSer)
);

CREATE TABLE PatientParticular (
    PatientSer bigint, UniversalPatientId varchar(32), PassportNumber varchar(32), PatientState varchar(64),
    MaritalStatus varchar(16), PregnancyStatus varchar(32), MedicalAlerts varchar(64),
    ContrastAllergies varchar(64), LastMenstrualDate datetime, SmokingStatus varchar(16),
    RetireDate datetime, RetireReason varchar(254), RetireNote varchar(254), DeathDate datetime,
    DeathCause varchar(254), AutopsyStatus varchar(16), AutopsyOutcome varchar(254), BloodGroup varchar(16),
    UserDefAttrib01 varchar(16), UserDefAttrib02 varchar(16), UserDefAttrib03 varchar(16),
    UserDefAttrib04 varchar(16), UserDefAttrib05 varchar(16), UserDefAttrib06 varchar(16),
    UserDefAttrib07 varchar(16), UserDefAttrib08 varchar(16), UserDefAttrib09 varchar(16),
    UserDefAttrib10 varchar(16), UserDefAttrib11 varchar(16), UserDefAttrib12 varchar(16),
    UserDefAttrib13 varchar(16), UserDefAttrib14 varchar(16), UserDefAttrib15 varchar(16),
    UserDefAttrib16 varchar(16), PRIMARY KEY (PatientSer)
);

CREATE TABLE PatientName (
    PatientNameSer bigint, PatientSer bigint, LastName varchar(64), FirstName varchar(64),
    MiddleName varchar(64), NameSuffix varchar(16), Honorific varchar(16), NameType varchar(16),
    NameRepresentationCode varchar(16), NameSelectedForDisplay int, HstryTimeStamp varbinary,
    HstryDateTime datetime, PRIMARY KEY (PatientNameSer)
);

CREATE TABLE Photo (
    PhotoSer bigint, PatientSer bigint, PhotoType varchar(32), Picture varbinary, Comment varchar(254),
    HstryDateTime datetime, Thumbnail varbinary, PRIMARY KEY (PhotoSer)
);

CREATE TABLE pt_pic (
    pt_id varchar(20), pic_id int, pic image, trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_log_muserid varchar(255), trans_log_mtstamp datetime,
    trans_log_minst_id varchar(30), trans_trf_tstamp datetime, cur_entry_ind varchar(1), pic_tstamp datetime,
    PRIMARY KEY (pt_id, pic_id)
);

CREATE TABLE PatientAddress (
    PatientSer bigint, AddressSer bigint, CacheKeySer bigint, PrimaryFlag int, HstryDateTime datetime,
    PRIMARY KEY (PatientSer, AddressSer)
);

CREATE TABLE Address (
    AddressSer bigint, AddressType varchar(64), Country varchar(64), StateOrProvince varchar(64),
    Location varchar(64), County varchar(64), CityOrTownship varchar(64), AddressLine1 varchar(64),
    AddressLine2 varchar(64), AddressLine3 varchar(64), PostalCode varchar(16), OriginationDate datetime,
    TerminationDate datetime, PhoneNumber1 varchar(64), PhoneNumber2 varchar(64), FaxNumber varchar(64),
    EMailAddress varchar(64), PagerNumber varchar(64), Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (AddressSer)
);

CREATE TABLE PointOfContact (
    PointOfContactSer bigint, AddressSer bigint, PatientSer bigint, PrimaryFlag int,
    Relationship varchar(64), Honorific varchar(16), FirstName varchar(64), MiddleName varchar(64),
    LastName varchar(64), NameSuffix varchar(16), FirstNameUpper varchar(64), LastNameUpper varchar(64),
    DateOfBirth datetime, Sex varchar(16), WorkPhone varchar(64), HomePhone varchar(64),
    Comment varchar(254), CreatedByHL7 varchar(255), HstryDateTime datetime, MobilePhone varchar(64),
    EntrustedContactFlag int, PRIMARY KEY (PointOfContactSer)
);

CREATE TABLE PatientTransportation (
    PatientTransportationSer bigint, PatientSer bigint, TransportationSer bigint,
    TransportationName varchar(64), TransportationPhone varchar(64), TransportationComment varchar(254),
    PrimaryFlag int, HstryDateTime datetime, PRIMARY KEY (PatientTransportationSer)
);

CREATE TABLE PatientHospital (
    HospitalSer bigint, PatientSer bigint, CacheKeySer bigint, PatientHospitalRevCount int,
    InPatientFlag int, PatientLocation varchar(16), PatientStatus varchar(32), StartDateTime datetime,
    ProjectedEndDate datetime, EndDateTime datetime, HstryDateTime datetime,
    PRIMARY KEY (HospitalSer, PatientSer)
);

CREATE TABLE PatientNote (
    PatientNoteSer bigint, PatientSer bigint, Note varchar(512), PatientNoteCode varchar(64),
    DisplayDateTime datetime, WrittenByAppUserName varchar(255), ReadByAppUserName varchar(255),
    ReadDateTime datetime, ObjectStatus varchar(16), HstryDateTime datetime, PRIMARY KEY (PatientNoteSer)
);

CREATE TABLE PatientDoctor (
    ResourceSer bigint, PatientSer bigint, CacheKeySer bigint, OncologistFlag int, PrimaryFlag int,
    Comment varchar(254), HstryDateTime datetime, PrimaryCarePhysicianFlag int,
    PRIMARY KEY (ResourceSer, PatientSer)
);

CREATE TABLE Doctor (
    ResourceSer bigint, DoctorId varchar(16), Honorific varchar(16), FirstName varchar(64),
    MiddleName varchar(64), LastName varchar(64), NameSuffix varchar(16), AliasName varchar(64),
    Specialty varchar(64), Institution varchar(64), OncologistFlag int, Comment varchar(254),
    DateOfBirth datetime, Sex varchar(16), ExternalMedOncFlag int, PRIMARY KEY (ResourceSer)
);

CREATE TABLE Resource (
    ResourceSer bigint, ResourceTypeNum int, ObjectStatus varchar(16), ResourceType varchar(30),
    SchedulableFlag int, HstryDateTime datetime, DICOMCodeValueSer bigint, WorklistType varchar(64),
    AETitle varchar(16), MultiProtocolFlag int, DirectAddress varchar(256), PRIMARY KEY (ResourceSer)
);

CREATE TABLE Department (
    DepartmentSer bigint, HospitalSer bigint, DepartmentId varchar(16), DepartmentName varchar(64),
    ObjectStatus varchar(16), Comment varchar(254), HstryDateTime datetime, PRIMARY KEY (DepartmentSer)
);

CREATE TABLE Hospital (
    HospitalSer bigint, HospitalName varchar(64), AddressSer bigint, HospitalLocation varchar(64),
    ObjectStatus varchar(16), Organization varchar(64), WebAddress varchar(64), Logo image,
    HstryDateTime datetime, MailServerAddress varchar(64), MailUserName varchar(254),
    MailPassword varchar(254), MailPortNumber int, MailSSLFlag int, MailAnonymousFlag int,
    PRIMARY KEY (HospitalSer)
);

CREATE TABLE Course (
    CourseSer bigint, PatientSer bigint, CourseId varchar(16), StartDateTime datetime,
    ClinicalStatus varchar(16), CompletedByUserName varchar(255), CompletedDateTime datetime,
    Comment varchar(254), ClinicalProtocolDir varchar(254), HstryDateTime datetime,
    TransactionId varchar(255), PRIMARY KEY (CourseSer)
);

CREATE TABLE TreatmentPhase (
    TreatmentPhaseSer bigint, CourseSer bigint, RelTreatmentPhaseSer bigint, TimeGapType varchar(32),
    PhaseGapNumberOfDays int, OtherInfo varchar(256), HstryDateTime datetime,
    PRIMARY KEY (TreatmentPhaseSer)
);

CREATE TABLE Prescription (
    PrescriptionSer bigint, PrescriptionName varchar(64), TreatmentPhaseSer bigint,
    PredecessorPrescriptionSer bigint, PhaseType varchar(16), Gating varchar(32), SimulationNeeded int,
    BolusFrequency varchar(64), BolusThickness varchar(64), Notes varchar(1024), Status varchar(64),
    NumberOfFractions int, Technique varchar(64), Site varchar(64), PrescriptionTemplateSer bigint,
    CreationDate datetime, CreationUserName varchar(255), HstryDateTime datetime,
    PRIMARY KEY (PrescriptionSer)
);

CREATE TABLE PrescriptionAnatomy (
    PrescriptionAnatomySer bigint, PrescriptionSer bigint, AnatomyRole smallint, AnatomyName varchar(256),
    HstryDateTime datetime, PRIMARY KEY (PrescriptionAnatomySer)
);

CREATE TABLE PrescriptionAnatomyItem (
    PrescriptionAnatomyItemSer bigint, PrescriptionAnatomySer bigint, ItemType varchar(64),
    ItemValue varchar(64), ItemValueUnit varchar(16), Param1Value varchar(64), Param1ValueUnit varchar(16),
    HstryDateTime datetime, PRIMARY KEY (PrescriptionAnatomyItemSer)
);

CREATE TABLE PrescriptionProperty (
    PrescriptionPropertySer bigint, PrescriptionSer bigint, PropertyType smallint, PropertyValue varchar(64),
    HstryDateTime datetime, PRIMARY KEY (PrescriptionPropertySer)
);

CREATE TABLE PhysicianIntent (
    PhysicianIntentSer bigint, PhysicianIntentUID varchar(64), TreatmentIntentType varchar(64),
    DiagnosisSer bigint, CourseSer bigint, CreationDate datetime, CreationUserName varchar(255),
    HstryDateTime datetime, PRIMARY KEY (PhysicianIntentSer)
);

CREATE TABLE Diagnosis (
    DiagnosisSer bigint, PatientSer bigint, DiagnosisId varchar(16), DateStamp datetime,
    DiagnosisTableName varchar(64), DiagnosisCode varchar(16), Description varchar(254),
    HistologyTableName varchar(64), HistologyCode varchar(16), HisDescription varchar(254),
    DiagnosisType varchar(30), Comment varchar(254), HstryDateTime datetime, ObjectStatus varchar(16),
    PRIMARY KEY (DiagnosisSer, PatientSer)
);

CREATE TABLE CourseDiagnosis (
    CourseSer bigint, DiagnosisSer bigint, CacheKeySer bigint, HstryDateTime datetime,
    PRIMARY KEY (CourseSer, DiagnosisSer)
);

CREATE TABLE pt (
    pt_id varchar(20), pt_last_name varchar(30), pt_dob datetime, cur_last_name varchar(30),
    pt_first_name varchar(30), pt_initial varchar(2), sin_ssn varchar(20), sex_cd varchar(1), pt_title int,
    title_typ int, pt_tp_amend varchar(1), pt_tp_active_ind varchar(1), inpt_ind varchar(1),
    pt_alive_ind varchar(1), new_order_ind varchar(1), pt_dod datetime, cs_of_dth_typ_id int,
    citizenship_id int, test_pt_ind varchar(1), maiden_name varchar(30), pt_dob_cd int, pt_dod_cd int,
    upper_last_name varchar(30), trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_log_muserid varchar(255), trans_log_mtstamp datetime,
    trans_log_minst_id varchar(30), trans_trf_tstamp datetime, last_pln_chg_date datetime,
    pt_last_name_sdx varchar(6), pt_first_name_sdx varchar(6), pt_middle_name varchar(30),
    new_rem_ind varchar(1), first_rem_tstamp datetime, last_rem_tstamp datetime, clin_trial_ind varchar(1),
    trans_trf_inst_id varchar(30), pt_age int, pt_age_cat varchar(15), allergy_ind varchar(1),
    directives_ind varchar(1), infection_ind varchar(1), pt_inpatient_ind varchar(1),
    pt_alert_ind varchar(1), track_ae_ind varchar(1), primary_pt_key_value varchar(20), nka_ind varchar(1),
    ext_agt_ind varchar(1), patient_ser bigint, pt_password varchar(255), pt_portal_reg_ind varchar(1),
    name_suffix varchar(16), PRIMARY KEY (pt_id)
);

CREATE TABLE pt_dx (
    pt_id varchar(20), dx_id int, icd_cd varchar(16), stage_of_disease varchar(50), onset_date datetime,
    dx_typ varchar(1), confirm_dx varchar(1), resolution_date datetime, resolution_typ int,
    dx_name varchar(250), valid_entry varchar(1), dx_desc varchar, mthd_of_dx varchar,
    resolution_desc varchar, trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_log_muserid varchar(255), trans_log_mtstamp datetime,
    trans_log_minst_id varchar(30), date_approx_ind varchar(1), trans_trf_tstamp datetime, onset_date_cd int,
    hx_of_ind varchar(1), dx_mthd_typ int, resolution_date_cd int, external_ind varchar(1),
    stg_crit_desc varchar(40), evlv_pt_dx_id int, evlv_tstamp datetime, cur_entry_ind varchar(1),
    cs_of_dth_ind varchar(1), cls_scheme_id int, clinical_desc varchar(255), ae_ind varchar(1),
    source_typ int, app_cd varchar(10), dx_cmt varchar, revision_no int, diagnosis_ser bigint,
    vision_diagnosis_id varchar(16), intf_diagnosis_id varchar(50), err_rsn_txt varchar(255),
    reported_ind varchar(1), publish_ind varchar(1), unique_ccda_id varchar(75),
    intf_reconcile_date datetime, encounter_dx_ind varchar(1), PRIMARY KEY (pt_id, dx_id)
);

CREATE TABLE pt_dx_cncr (
    pt_id varchar(20), pt_dx_id int, nodes_examined int, nodes_pos int, icdo_site_typ int,
    icdo_site_cd varchar(3), icdo_site_seq int, morph_cd_typ int, morph_cd varchar(4), morph_cd_seq int,
    behavior_cd varchar(1), hst_grade_typ int, laterality_typ int, cncr_desc varchar(250), les_order_no int,
    meas_ind varchar(1), meas_dim int, meas_mask varchar(11), prmy_dx_id int, resect_ind varchar(1),
    recur_ind varchar(1), invasive_ind varchar(1), met_ind varchar(1), prmy_cncr_id int,
    er_status varchar(1), pr_status varchar(1), gleason_prmy int, gleason_scndy int, gleason_total int,
    cores_taken int, cores_pos int, valid_entry_ind varchar(1), trans_log_userid varchar(255),
    trans_log_tstamp datetime, trans_log_inst_id varchar(30), trans_log_muserid varchar(255),
    trans_log_mtstamp datetime, trans_log_minst_id varchar(30), trans_trf_tstamp datetime,
    her2neu_ind varchar(1), s_phase decimal(11, 4), cls_scheme_id int, prmy_cncr_site_value_id int,
    app_cd varchar(10), tumor_size decimal(11, 4), revision_no int, dx_cncr_cmt varchar(255),
    les_desc varchar(100), les_track_ind varchar(1), cores_pos_left int, cores_pos_right int,
    cores_taken_left int, cores_taken_right int, dcis_status_typ int,
    disease_pct_pos_apex_left decimal(11, 4), disease_pct_pos_apex_right decimal(11, 4),
    disease_pct_pos_base_left decimal(11, 4), disease_pct_pos_base_right decimal(11, 4),
    disease_pct_pos_mid_left decimal(11, 4), disease_pct_pos_mid_right decimal(11, 4),
    disease_present_apex_ind varchar(1), disease_present_apex_left_ind varchar(1),
    disease_present_apex_right_ind varchar(1), disease_present_base_ind varchar(1),
    disease_present_base_left_ind varchar(1), disease_present_base_right_ind varchar(1),
    disease_present_mid_ind varchar(1), disease_present_mid_left_ind varchar(1),
    disease_present_mid_right_ind varchar(1), nodes_examined_left int, nodes_examined_right int,
    nodes_pos_left int, nodes_pos_right int, ece_status_typ int, gleason_tertiary_typ int,
    her2neu_method_typ int, her2neu_status_typ int, margin_loc varchar(255), margin_status_typ int,
    microcalc_status_typ int, multifocal_ind varchar(1), necrosis_status_typ int,
    nodes_assessed_ind varchar(1), nodes_cytokeratin_pos int, nodes_largest_size decimal(11, 4),
    oncotypedx_risk_typ int, oncotypedx_score int, pathology_cmt varchar(255), pin_status_typ int,
    tumor_meas_typ int, in_situ_cncr_ind varchar(1), ki67_status_typ int, ki67_pct decimal(11, 4),
    her2neu_method2_typ int, her2neu_status2_typ int, kras_status_typ int,
    dx_icd_site_unlocked_ind varchar(1), PRIMARY KEY (pt_id, pt_dx_id)
);

CREATE TABLE laterality_typ (
    laterality_typ int, laterality_desc varchar(40), trans_log_userid varchar(255),
    trans_log_tstamp datetime, trans_log_inst_id varchar(30), trans_trf_tstamp datetime,
    PRIMARY KEY (laterality_typ)
);

CREATE TABLE pt_allergy (
    pt_id varchar(20), allergy_id int, allergy_typ int, valid_entry varchar(1), resp varchar,
    allergy_desc varchar, severity_id int, trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_log_muserid varchar(255), trans_log_mtstamp datetime,
    trans_log_minst_id varchar(30), trans_trf_tstamp datetime, drug_desc_id varchar(6), kdc varchar(10),
    date_approx_ind varchar(1), onset_date datetime, onset_date_cd int, reaction_cd varchar(1),
    pt_visit_id int, admn_id int, agt_name varchar(50), par_id int, dosage_form int,
    allergy_cmt varchar(255), revision_no int, err_rsn_txt varchar(255), unique_ccda_id varchar(75),
    intf_reconcile_date datetime, PRIMARY KEY (pt_id, allergy_id)
);

CREATE TABLE implantable_device (
    id int, pt_id varchar(20), udi varchar(255), device_id varchar(64), lot_number varchar(64),
    serial_number varchar(64), exp_date date, mfg_date date, donation_id varchar(64),
    gmdnpt_name varchar(255), gmdnpt_def varchar, brand_name varchar(64), vers_model_no varchar(64),
    company_name varchar(64), mri_safety_status varchar(64), labeled_contains_nrl varchar(64),
    status varchar(1), valid_entry varchar(1), revision_no int, trans_log_userid varchar(255),
    trans_log_tstamp datetime, trans_log_inst_id varchar(30), trans_log_muserid varchar(255),
    trans_log_mtstamp datetime, trans_log_minst_id varchar(30), trans_trf_tstamp datetime,
    location_cmnt varchar, inactive_reason varchar, implant_date datetime, implant_date_cd int,
    PRIMARY KEY (id)
);

CREATE TABLE visit_note (
    pt_id varchar(20), pt_visit_id int, visit_note_id int, note_tstamp datetime, visit_note_txt varchar,
    appr_flag varchar(1), dictated_flag varchar(1), override_userid varchar(255), override_txt varchar(200),
    override_inst_id varchar(30), trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_log_muserid varchar(255), trans_log_mtstamp datetime,
    trans_log_minst_id varchar(30), pt_focus_id int, pt_eval_id int, pt_event_id int, note_level int,
    note_typ int, valid_entry_ind varchar(1), dcmmt_id varchar(20), trans_trf_tstamp datetime,
    priv_ind varchar(1), pre_appr_ind varchar(1), discipline_typ int, prof_typ int,
    creator_stkh_id varchar(20), author_stkh_id varchar(20), author_org_stkh_id varchar(20),
    cert_stkh_id varchar(20), img_dcmnt_id varchar(14), visit_note_begin_txt varchar(255),
    correction_ind varchar(1), generated_ind varchar(1), err_rsn_txt varchar(255), completed_ind varchar(1),
    rem_attach_ind varchar(1), dcmnt_err_ind varchar(1), appr_stkh_id varchar(20),
    intf_created_ind varchar(1), bill_acct_id int, review_req_ind varchar(1), doc_file_typ int,
    doc_file_loc varchar(255), revision_no int, supervisor_stkh_id varchar(20), signed_stkh_id varchar(20),
    signed_tstamp datetime, appr_tstamp datetime, document_ser int, printed_ind varchar(1),
    dcmnt_id_long varchar(30), lt_archive_ind varchar(1), template_name varchar(50),
    account_billing_code_ser bigint, external_system_name varchar(50), external_document_link varchar(256),
    revised_ind varchar(1), system_gen_ind varchar(1), pt_provided_ind varchar(1),
    pt_provided_name varchar(255), doc_preview_loc varchar(255),
    PRIMARY KEY (pt_id, pt_visit_id, visit_note_id)
);

CREATE TABLE note_typ (
    note_typ int, note_typ_desc varchar(40), trans_log_userid varchar(255), trans_log_tstamp datetime,
    trans_log_inst_id varchar(30), trans_trf_tstamp datetime, valid_entry_ind varchar(1),
    trans_log_muserid varchar(255), trans_log_mtstamp datetime, trans_log_minst_id varchar(30),
    document_typ_ser int, PRIMARY KEY (note_typ)
);

CREATE TABLE quick_note (
    pt_id varchar(20), quick_note_id int, appr_flag varchar(1), valid_entry_ind varchar(1),
    author_userid varchar(255), author_inst_id varchar(30), revision_no int, note_tstamp datetime,
    quick_note_text varchar, trans_log_userid varchar(255), trans_log_inst_id varchar(30),
    trans_log_tstamp datetime, trans_log_muserid varchar(255), trans_log_minst_id varchar(30),
    trans_log_mtstamp datetime, trans_trf_tstamp datetime, err_rsn_txt varchar(255), quick_note_typ int,
    PRIMARY KEY (pt_id, quick_note_id)
);

CREATE TABLE quick_note_typ (
    quick_note_typ int, quick_note_desc varchar(255), active_entry_ind varchar(1),
    trans_log_userid varchar(255), trans_log_tstamp datetime, trans_log_inst_id varchar(30),
    trans_log_muserid varchar(255), trans_log_mtstamp datetime, trans_log_minst_id varchar(30),
    trans_trf_tstamp datetime, PRIMARY KEY (quick_note_typ)
);

CREATE TABLE PlanSetup (
    PlanSetupSer bigint, PatientSupportDeviceSer bigint, PrescriptionSer bigint, CourseSer bigint,
    PlanSetupId varchar(16), PlanSetupName varchar(64), CreationDate datetime, CreationUserName varchar(255),
    Status varchar(64), StatusUserName varchar(255), StatusDate datetime, PlanNormFactor float,
    PlanNormMethod varchar(64), Comment varchar(254), TreatmentTechnique varchar(16),
    ApplicationSetupType varchar(16), ApplicationSetupNumber int, TreatmentType varchar(16),
    CalcModelOptions varchar, CalcModelOptionsLen int, TreatmentOrientation varchar(16),
    PrescribedPercentage float, PrimaryPTVSer bigint, IrregFlag int, FieldRules varchar, FieldRulesLen int,
    SkinFlashMargin float, ProtocolPhaseId varchar(64), MultiFieldOptFlag int, CopyOfSer bigint,
    StructureSetSer bigint, EquipmentSer bigint, HstryDateTime datetime, RaySearchPrivateData image,
    RaySearchPrivateDataLen int, Intent varchar(16), ViewingPlane varbinary, ViewingPlaneULCorner varbinary,
    ViewingPlaneLRCorner varbinary, BrachyPdrPulseInterval float, BrachyPdrNoOfPulses int,
    TransactionId varchar(255), ImageSer bigint, PRIMARY KEY (PlanSetupSer)
);

CREATE TABLE RTPlan (
    RTPlanSer bigint, PlanSOPClassSer bigint, PlanUID varchar(64), PlanSetupSer bigint,
    CreationDate datetime, CreationUserName varchar(255), NoFractions int, StartDelay int,
    DicomSeqNumber int, Comment varchar(254), InterfaceStamp int, PrescribedDose float, SeriesSer bigint,
    PlanIntegrityHash varbinary, PlanHashVersion int, HstryDateTime datetime, TreatmentOrder int,
    FileName varchar(254), FractionPatternDigitsPerDay int, FractionPattern varchar(64),
    CharacterSet varchar(16), PRIMARY KEY (RTPlanSer)
);

CREATE TABLE PlanRelationship (
    PlanRelationshipSer bigint, RTPlanSer bigint, RelatedRTPlanSer bigint, RelatedPlanUID varchar(64),
    RelatedPlanSOPClassSer bigint, RelationshipType varchar(16), HstryDateTime datetime,
    PRIMARY KEY (PlanRelationshipSer)
);

CREATE TABLE PlanSum (
    PlanSumSer bigint, CourseSer bigint, PlanSumId varchar(16), PlanSumName varchar(64), IsodoseLevels image,
    IsodoseLevelsLen int, FieldRules varchar, FieldRulesLen int, HstryDateTime datetime, ImageSer bigint,
    PRIMARY KEY (PlanSumSer)
);

CREATE TABLE Approval (
    ApprovalSer numeric(7, 0), ApprovalRevCount int, TypeSer bigint, Type1Ser bigint, Type2Ser bigint,
    TypeRevCount int, Type1RevCount int, Type2RevCount int, ApprovalType varchar(30), Status varchar(64),
    StatusUserName varchar(255), StatusDate datetime, Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (ApprovalSer)
);

CREATE TABLE Radiation (
    RadiationSer bigint, ResourceSer bigint, PlanSetupSer bigint, RadiationId varchar(16),
    RadiationName varchar(64), RadiationType varchar(32), Comment varchar(254), HstryDateTime datetime,
    RadiationNumber int, TechniqueLabel varchar(64), RadiationOrder int, RefImageSer bigint,
    SetupNote varchar(254), RefImageUID varchar(64), RefImageSOPClassSer bigint, CreationDate datetime,
    CreationUserName varchar(255), PRIMARY KEY (RadiationSer)
);

CREATE TABLE ExternalFieldCommon (
    RadiationSer bigint, Meterset float, TreatmentTime float, SetupFieldFlag int,
    MotionCompSource varchar(254), MotionCompTechnique varchar(254), SetupTechnique varchar(16), SSD float,
    SourceFieldEntryDistance float, CouchLat float, CouchLatDelta float, CouchLng float, CouchLngDelta float,
    CouchVrt float, CouchVrtDelta float, PatientSupportAngle float, TableTopPitchAngle float,
    TableTopRollAngle float, IDUPosLat float, IDUPosLng float, IDUPosVrt float, IDURtn float,
    IsoCenterPositionX float, IsoCenterPositionY float, IsoCenterPositionZ float, TechniqueSer bigint,
    EnergyModeSer bigint, ToleranceSer bigint, ImagingTreatmentFieldFlag int, PrescribedMeterset float,
    ImagingFieldSetupTemplateId varchar(16), ImagingFieldTemplateId varchar(16),
    SessionProcedureTemplateId varchar(16), AbsDoseRefFieldSize float, AbsDoseCalibSPD float,
    AbsDoseCalibDepth float, RefDoseGyAtCalibDepth float, RefDoseMUAtCalibDepth float,
    PRIMARY KEY (RadiationSer)
);

CREATE TABLE ExternalField (
    RadiationSer bigint, GantryRtn float, CollRtn float, CollMode varchar(16), CollX1 float, CollY1 float,
    CollX2 float, CollY2 float, TimepGy float, GantryRtnDirection varchar(16), GantryRtnExt varchar(16),
    DoseRate int, StopAngle float, WedgeDose float, BEVMarginFlag int, CollMarginBottom float,
    CalculationLog varchar, CalculationLogLen int, DirectionPointDistance float, EllipticalMarginFlag int,
    FldNormFactor float, FldNormMethod varchar(64), CollMarginLeft float, MUCoeff float, MUCoeffMWOpen float,
    MUCoeffMWWedged float, MUCoeffMWVirtual float, OptimizeCollRtnFlag int, SkinFlashFlag int,
    DRRTemplateFileName varchar(254), RefDose float, RefDoseMWOpen float, RefDoseMWWedged float,
    RefDoseMWVirtual float, CollMarginRight float, CollMarginTop float, WedgeWeightFactor float,
    WeightFactor float, TrackingSer bigint, DesiredDoseAtIsocenter float, MuCoeffUnit varchar(16),
    BaselinePortalDoseSer bigint, PRIMARY KEY (RadiationSer)
);

CREATE TABLE EnergyMode (
    EnergyModeSer bigint, ResourceSer bigint, RadiationType varchar(16), Energy int, MaxEnergy int,
    ObjectStatus varchar(16), MinDoseRate int, MaxDoseRate int, DefaultFlag int, DisplayCode varchar(32),
    InternalCode int, LevelCode int, Comment varchar(254), HstryDateTime datetime, AbsDoseRefFieldSize float,
    AbsDoseCalibSPD float, AbsDoseCalibDepth float, RefDoseGyAtCalibDepth float, RefDoseMUAtCalibDepth float,
    PRIMARY KEY (EnergyModeSer)
);

CREATE TABLE Technique (
    TechniqueSer bigint, ResourceSer bigint, TechniqueId varchar(16), ObjectStatus varchar(16),
    DefaultFlag int, DisplayCode varchar(32), InternalCode int, LevelCode int, Comment varchar(254),
    HstryDateTime datetime, PRIMARY KEY (TechniqueSer)
);

CREATE TABLE Tolerance (
    ToleranceSer bigint, ToleranceId varchar(16), ToleranceName varchar(64), CreationDate datetime,
    CreationUserName varchar(255), ObjectStatus varchar(16), Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (ToleranceSer)
);

CREATE TABLE FieldAddOn (
    AddOnSer bigint, RadiationSer bigint, CacheKeySer bigint, SlotSer bigint, CustomCode varchar(64),
    DicomSeqNumber int, UserPreselection smallint, HstryDateTime datetime,
    PRIMARY KEY (AddOnSer, RadiationSer)
);

CREATE TABLE AddOn (
    AddOnSer bigint, ResourceSer bigint, AddOnMaterialSer bigint, AddOnId varchar(16), AddOnName varchar(64),
    AddOnType varchar(30), CreationDate datetime, CreationUserName varchar(255), ObjectStatus varchar(16),
    DisplayCode varchar(32), InternalCode int, ExtDeviceVerification int, OverridePossible int,
    ValidationDone int, PFVerifyDone int, Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (AddOnSer)
);

CREATE TABLE Wedge (
    AddOnSer bigint, WedgeType varchar(30), WedgeAngle float, ThinEdgeToX1Flag int, ThinEdgeToX2Flag int,
    ThinEdgeToY1Flag int, ThinEdgeToY2Flag int, MaxCollX float, MinCollX float, MaxCollY float,
    MinCollY float, MaxX1 float, MinX1 float, MaxY1 float, MinY1 float, MaxX2 float, MinX2 float,
    MaxY2 float, MinY2 float, PRIMARY KEY (AddOnSer)
);

CREATE TABLE Block (
    BlockSer bigint, RadiationSer bigint, AddOnMaterialSer bigint, TrayAddOnSer bigint, BlockId varchar(64),
    DicomSeqNumber int, BlockType varchar(32), AboveTrayFlag int, DivergingFlag int, Coordinates image,
    CoordinatesLen int, EllipticalMarginFlag int, BEVMarginFlag int, LeftMargin float, RightMargin float,
    TopMargin float, BottomMargin float, OptimizeCollRtnFlag int, OptimizeFldSizeFlag int,
    BlockThickness float, HstryDateTime datetime, MillingMachineResourceSer bigint, DrillBitDiameter float,
    SnoutPositionUsedForMillingCorrection float, MillingCorrectionConfiguredFlag int, CustomCode varchar(64),
    PRIMARY KEY (BlockSer)
);

CREATE TABLE MLCPlan (
    MLCPlanSer bigint, RadiationSer bigint, MLCPlanId varchar(16), MLCPlanName varchar(64),
    CreationDate datetime, CreationUserName varchar(255), MLCPlanType varchar(30),
    IndexParameterType varchar(32), Comment varchar(254), IsLockedFlag int, EllipticalMarginFlag int,
    BEVMarginFlag int, LeftMargin float, RightMargin float, TopMargin float, BottomMargin float,
    ContourMeetPoint varchar(32), ClosedMeetPoint varchar(32), OptimizeCollRtnFlag int,
    CollimatorJawOptimization int, HstryDateTime datetime, FitMLCToBlockMargin float,
    FitMLCToBlockMarginMethod smallint, PRIMARY KEY (MLCPlanSer)
);

CREATE TABLE FieldPhoto (
    PhotoSer bigint, RadiationSer bigint, CacheKeySer bigint, HstryDateTime datetime, DisplaySequence int,
    PRIMARY KEY (PhotoSer, RadiationSer)
);

CREATE TABLE RadiationDeliverySetupDevice (
    RadiationSer bigint, DeliverySetupDeviceSer bigint, CacheKeySer bigint, CustomCode varchar(64),
    HstryDateTime datetime, PRIMARY KEY (RadiationSer, DeliverySetupDeviceSer)
);

CREATE TABLE DeliverySetupDevice (
    DeliverySetupDeviceSer bigint, DeliverySetupDeviceId varchar(16), DeliverySetupDeviceName varchar(64),
    Comment varchar(254), DeviceType varchar(64), DeviceCode varchar(32), DeviceCategory varchar(16),
    ObjectStatus varchar(16), HstryDateTime datetime, ModelName varchar(64), Manufacturer varchar(64),
    ModelConfigurationReference varchar(64), PRIMARY KEY (DeliverySetupDeviceSer)
);

CREATE TABLE PatientSupportDevice (
    ResourceSer bigint, PatSupportType varchar(16), PatientSupportDeviceId varchar(16),
    PatientSupportDeviceName varchar(64), AccessoryCode varchar(64), PRIMARY KEY (ResourceSer)
);

CREATE TABLE Machine (
    ResourceSer bigint, WorkstationSer bigint, MachineId varchar(16), MachineName varchar(64),
    MachineType varchar(30), MachineModel varchar(64), MachineInterface varchar(64),
    MachineScale varchar(16), ManufacturerName varchar(254), MachineSerialNo varchar(64),
    ServiceContact varchar(128), DateInstalled datetime, DateLastService datetime, DateNextService datetime,
    OperationStatus varchar(32), SoftwareVersion varchar(32), HardwareVersion varchar(32),
    Description varchar(64), CharacterSet varchar(16), PredecessorSer bigint, PRIMARY KEY (ResourceSer)
);

CREATE TABLE RadiationDevice (
    ResourceSer bigint, RadiationDeviceType varchar(30), Features varchar(64), CompletelyModelled int,
    PRIMARY KEY (ResourceSer)
);

CREATE TABLE RefPoint (
    RefPointSer bigint, PatientVolumeSer bigint, PatientSer bigint, RefPointId varchar(16),
    RefPointName varchar(64), RefPointUID varchar(64), RefPointType varchar(16), TotalDoseLimit float,
    DailyDoseLimit float, SessionDoseLimit float, HstryDateTime datetime, PRIMARY KEY (RefPointSer)
);

CREATE TABLE RadiationRefPoint (
    RadiationSer bigint, RefPointSer bigint, RTPlanSer bigint, CacheKeySer bigint, FieldDose float,
    DoseSpecificationFlag int, Depth float, PSSD float, DominantFieldFlag int, HstryDateTime datetime,
    NominalFlag int, PRIMARY KEY (RadiationSer, RefPointSer, RTPlanSer)
);

CREATE TABLE DoseContribution (
    RTPlanSer bigint, RefPointSer bigint, CacheKeySer bigint, DosePerFraction float, PrimaryFlag int,
    DicomSeqNumber int, Comment varchar(254), HstryDateTime datetime, PRIMARY KEY (RTPlanSer, RefPointSer)
);

CREATE TABLE PatientVolume (
    PatientVolumeSer bigint, VolumeTypeSer bigint, VolumeCodeSer bigint, PatientVolumeId varchar(16),
    PatientVolumeName varchar(64), PrescTotalDose float, CreationDate datetime,
    CreationUserName varchar(255), Comment varchar(254), HstryDateTime datetime, PatientSer bigint,
    PRIMARY KEY (PatientVolumeSer)
);

CREATE TABLE StructureSet (
    StructureSetSer bigint, SeriesSer bigint, ImageSer bigint, StructureSetUID varchar(64),
    StructureSetId varchar(16), StructureSetName varchar(64), Comment varchar(254),
    ModifiedDateTime datetime, InstanceNumber int, EquipmentSer bigint, HstryDateTime datetime,
    ROIMaterialVersion varchar(64), PRIMARY KEY (StructureSetSer)
);

CREATE TABLE Series (
    SeriesSer bigint, StudySer bigint, SeriesId varchar(16), SeriesName varchar(64), SeriesNumber int,
    SeriesUID varchar(64), SeriesType varchar(30), CreationDate datetime, CreationUserName varchar(255),
    BodyPartExamined varchar(32), PatientOrientation varchar(32), SeriesModality varchar(16),
    AcquisitionType varchar(32), Comment varchar(254), ReconstructionType4D varchar(64),
    ReconstructionPhase4D float, PositionReferenceIndicator varchar(64), FrameOfReferenceUID varchar(64),
    ResampledSeriesFlag int, HstryDateTime datetime, ResourceSer bigint, RelatedCourseSer bigint,
    RelatedPlanSetupSer bigint, RelatedRadiationSer bigint, RelatedDiagnosisSer bigint,
    PRIMARY KEY (SeriesSer)
);

CREATE TABLE Study (
    StudySer bigint, PatientSer bigint, StudyId varchar(16), StudyName varchar(64), CreationDate datetime,
    CreationUserName varchar(255), ReferringPhysicianName varchar(255), StudyUID varchar(64),
    AccessionNumber varchar(16), Comment varchar(254), HstryDateTime datetime, RelatedCourseSer bigint,
    RelatedDiagnosisSer bigint, PRIMARY KEY (StudySer)
);

CREATE TABLE Slice (
    SliceSer bigint, SeriesSer bigint, SliceUID varchar(64), CreationDate datetime,
    CreationUserName varchar(255), SliceNumber int, Position float, FileName varchar(254),
    SliceType varchar(30), SliceModality varchar(16), ResourceSer bigint, SliceFormat varchar(32),
    HeaderSize int, SizeX int, SizeY int, AcqWindow int, AcqLevel int, ResolutionX float, ResolutionY float,
    CalibratedFlag int, PixelOffset int, PixelSlope float, Transformation varbinary,
    SliceCharacteristics varchar(254), PhotometricInterpretation varchar(16), BitsAllocated int,
    BitsStored int, CouchVrt float, CouchLng float, CouchLat float, PatientSupportAngle float,
    TableTopEccentricAngle float, ConversionType varchar(16), HighBit int, PatSupportPitchAngle float,
    PatSupportRollAngle float, Thickness float, EquipmentSer bigint, NumberOfFrames int,
    DCTransferSyntaxSer bigint, IsLockedFlag int, HstryDateTime datetime, PixelIntensityRel int,
    PixelIntensitySign int, PixelRepresentation int, TransactionId varchar(255), ActualPatientWeight float,
    ActualPatientHeight float, ContributingEquipmentSer bigint, SOPClassSer bigint,
    AcquisitionDateTime datetime, IrradiationEventUID varchar, CharacterSet varchar(16),
    PRIMARY KEY (SliceSer)
);

CREATE TABLE SliceRT (
    SliceSer bigint, DoubleExposureSer bigint, ReportedValuesOrigin varchar(16), IDUPosLat float,
    IDUPosLng float, IDUSID float, IDURtn float, Energy int, SAD float, PrimaryDosimeterUnit varchar(16),
    MetersetExposure float, ExposureTime int, CollX1 float, CollX2 float, CollY1 float, CollY2 float,
    SliceRTType varchar(30), OpenField int, DoseRate int, StartCumulativeMeterset float,
    EndCumulativeMeterset float, AcqNote varchar(1024), GantryAngle float, CollRtn float, BladeX1 float,
    BladeX2 float, BladeY1 float, BladeY2 float, IDUCorrectionLat float, IDUCorrectionLng float,
    XRayTubeCurrent int, RTImagePositionX float, RTImagePositionY float, OffPlaneAngle float,
    IsoCenterPositionX float, IsoCenterPositionY float, IsoCenterPositionZ float,
    PrimaryFluenceModeId varchar(16), RadiationSer bigint, PlanSetupSer bigint, UpdateOnBeamChange int,
    ReferenceImage int, RadiationMachineName varchar(16), PRIMARY KEY (SliceSer)
);

CREATE TABLE SOPClass (
    SOPClassSer bigint, SOPClassUID varchar(64), Name varchar(128), Category varchar(64),
    HstryDateTime datetime, PRIMARY KEY (SOPClassSer)
);

CREATE TABLE TreatmentRecord (
    TreatmentRecordSer bigint, PatientSer bigint, SeriesSer bigint, RTPlanSer bigint, PlanSOPClassSer bigint,
    TreatmentRecordSOPClassSer bigint, PlanUID varchar(64), TreatmentRecordUID varchar(64),
    FileName varchar(254), ActualMachineSer bigint, ActualMachineAuthorization varchar(64),
    MachOverrideFlag tinyint, HstryDateTime datetime, StructureSetUID varchar(64),
    TreatmentRecordDateTime datetime, NoOfFractions int, CharacterSet varchar(16),
    PRIMARY KEY (TreatmentRecordSer)
);

CREATE TABLE RadiationHstry (
    RadiationHstrySer bigint, TreatmentRecordSer bigint, RadiationHstryType varchar(32),
    TreatmentDeliveryType varchar(16), RadiationSer bigint, RadiationId varchar(16),
    RadiationName varchar(64), RadiationNumber int, TechniqueLabel varchar(64), RadiationType varchar(16),
    TreatmentStartTime datetime, TreatmentEndTime datetime, TreatmentTime float,
    TreatmentTimeOverrideFlag tinyint, TerminationStatus varchar(16), FractionNumber int,
    ApprovalDate datetime, ApprovalUserName varchar(255), UserName1 varchar(64), UserName2 varchar(32),
    UserName3 varchar(32), OverrideFlag int, NoOfImage int, PrintFlag int, RVFlag tinyint,
    HstryDateTime datetime, HistoryNote varchar, MachineNote varchar, FieldSetupNote varchar,
    BeamOffCode varchar(64), PRIMARY KEY (RadiationHstrySer)
);

CREATE TABLE ExternalFieldCommonHstry (
    RadiationHstrySer bigint, PlannedMeterset float, ActualMeterset float, MetersetOverrideFlag tinyint,
    SSD float, CouchCorrectionLat float, CouchCorrectionLng float, CouchCorrectionVrt float, CouchLat float,
    CouchLatOverrideFlag tinyint, CouchLatPlanned float, CouchLng float, CouchLngOverrideFlag tinyint,
    CouchLngPlanned float, CouchVrt float, CouchVrtOverrideFlag tinyint, CouchVrtPlanned float,
    TableTopEccAngleOverFlag tinyint, TableTopEccentricAngle float, PatientSupportAngle float,
    PatientSupportAngleOverFlag tinyint, PatSupPitchOverrideFlag tinyint, PatSupportPitchAngle float,
    PatSupportRollAngle float, PatSupRollOverrideFlag tinyint, PFFlag varchar(1), PFMUSubFlag tinyint,
    PIFlag varchar(1), ToleranceSer bigint, NominalEnergy int, EnergyModeOverrideFlag tinyint,
    SSDOverrideFlag tinyint, PRIMARY KEY (RadiationHstrySer)
);

CREATE TABLE ExternalFieldHstry (
    RadiationHstrySer bigint, ResourceSer bigint, IntendedNumOfPaintings int, NumOfPaintOverrideFlag tinyint,
    Technique varchar(16), GantryRtn float, GantryRtnOverrideFlag tinyint, CollRtn float,
    CollRtnOverrideFlag tinyint, CollMode varchar(16), CollX1 float, CollX1OverrideFlag tinyint,
    CollY1 float, CollY1OverrideFlag tinyint, CollX2 float, CollX2OverrideFlag tinyint, CollY2 float,
    CollY2OverrideFlag tinyint, PSACorrection float, OffPlaneAngle float, WedgeAngle float,
    WedgeDirection float, DoseRate int, DoseRateOverrideFlag tinyint, WedgeDose float,
    WedgeDoseOverrideFlag tinyint, StopAngle float, MUpDeg float, MUpDegOverrideFlag tinyint,
    SnoutPosition float, SnoutPosOverrideFlag tinyint, FixLightPolarPos float, FixLightAzimuthAngle float,
    GantryRtnDirection varchar(16), GantryRtnExt varchar(16), DistalEndEnergy float, SOBPWidth float,
    BeamModifiersSet varchar(64), WedgeNumber1 int, WedgeNumber2 int, WedgeAngle2 float,
    WedgeDirection2 float, BeamCurrentModulationId varchar(16), PRIMARY KEY (RadiationHstrySer)
);

CREATE TABLE BrachyField (
    RadiationSer bigint, ChannelSer bigint, BrachyApplicatorSer bigint, BrachyFieldTypeInfo varchar(32),
    ApplicatorLength float, PlannedTreatmDateTime datetime, StepSize float, FirstSourcePosition float,
    LastSourcePosition float, AutomaticPosFlag int, BrachySolidApplicatorSer bigint,
    ApplicatorPartChannelUID int, DeadSpace float, PRIMARY KEY (RadiationSer)
);

CREATE TABLE BrachyFieldHstry (
    RadiationHstrySer bigint, BrachyTreatmentType varchar(16), ChannelNumber int, ChannelLength float,
    SpecifiedChannelTotalTime float, ChannelReferenceAirKerma float, DeliveredChannelTotalTime float,
    SpecifiedNumberOfPulses int, DeliveredNumberOfPulses int, SpecifiedPulseRepetitionInterval float,
    DeliveredPulseRepetitionInterval float, SourceSerialNumber varchar(64), SourceIsotopeName varchar(64),
    ReferenceAirKermaRate float, SourceStrengthReferenceDateTime datetime, NumberOfSourcePositions int,
    PRIMARY KEY (RadiationHstrySer)
);

CREATE TABLE RefPointHstry (
    RefPointHstrySer bigint, RadiationHstrySer bigint, RefPointSer bigint, ActualDose float,
    Comment varchar(254), HstryDateTime datetime, PRIMARY KEY (RefPointHstrySer)
);

CREATE TABLE Session (
    SessionSer bigint, CourseSer bigint, SessionNum int, Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (SessionSer)
);

CREATE TABLE SessionRTPlan (
    SessionRTPlanSer bigint, RTPlanSer bigint, SessionSer bigint, HstryDateTime datetime, Status varchar(16),
    PRIMARY KEY (SessionRTPlanSer)
);

CREATE TABLE ActivitySession (
    ScheduledActivitySer bigint, SessionSer bigint, HstryDateTime datetime,
    PRIMARY KEY (ScheduledActivitySer, SessionSer)
);

CREATE TABLE SessionProcedure (
    SessionProcedureSer bigint, SessionSer bigint, SequenceNumber int, SeriesSer bigint,
    ProcedureItemSer bigint, ProcedureInstanceUID varchar(64), SessionProcedureTemplateId varchar(16),
    Status varchar(16), ProgressIndicator float, HstryDateTime datetime, PRIMARY KEY (SessionProcedureSer)
);

CREATE TABLE ScheduledActivity (
    ScheduledActivitySer bigint, ScheduledActivityRevCount int, ActivityInstanceSer bigint,
    ActivityInstanceRevCount int, PatientSer bigint, CreatedByResourceSer bigint,
    CreatedByUserName varchar(255), CreationDate datetime, CreatedByHL7 varchar(255), UID varchar(64),
    ScheduledStartTime datetime, ScheduledEndTime datetime, ActualStartDate datetime, ActualEndDate datetime,
    ObjectStatus varchar(16), ScheduledActivityCode varchar(64), Priority varchar(64), WaitListedFlag int,
    ActivityNote varchar(254), RecurrenceRuleSer bigint, ReadByAppUserName varchar(255),
    ReadByDateTime datetime, HstryDateTime datetime, PreMedication varchar(64), ContrastAgent varchar(64),
    WorkFlowActiveFlag int, PRIMARY KEY (ScheduledActivitySer)
);

CREATE TABLE NonScheduledActivity (
    NonScheduledActivitySer bigint, NonScheduledActivityRevCount int, ActivityInstanceSer bigint,
    ActivityInstanceRevCount int, PatientSer bigint, CreatedByResourceSer bigint,
    CreatedByUserName varchar(255), CreationDate datetime, UID varchar(64), ObjectStatus varchar(16),
    DueDateTime datetime, NonScheduledActivityCode varchar(64), Priority varchar(64),
    ActivityNote varchar(254), RecurrenceRuleSer bigint, ReadByAppUserName varchar(255),
    ReadByDateTime datetime, HstryDateTime datetime, WorkFlowActiveFlag int, CompletionDate datetime,
    PRIMARY KEY (NonScheduledActivitySer)
);

CREATE TABLE ActivityInstance (
    ActivityInstanceSer bigint, ActivityInstanceRevCount int, TemplateCycleSer bigint,
    TemplateCycleRevCount int, ActivitySer bigint, ActivityRevCount int, DepartmentSer bigint,
    AppointmentInstanceFlag int, ObjectStatus varchar(16), PredecessorSer bigint,
    AppointmentDependentFlag int, NotificationPriorTime int, Duration int, ExclusiveFlag int,
    ActivityGroup int, MinPostDuration int, MinTrtmntOccurence int, MaxTrtmntOccurence int,
    DefaultTrtmntOccurence int, WeekNumber int, DayOfWeek int, PriorPostDueDurUnits int,
    ActivityNote varchar(254), ActInstReadOnly int, HstryDateTime datetime, ActivityInstanceId varchar(16),
    StudySer bigint, WorklistType varchar(64), PlacerOrderNumber varchar(64), FillerOrderNumber varchar(64),
    NotificationPriorTimeFlag int, LastStatusUpdatedByResourceSer bigint, LastStatusUpdatedDate datetime,
    LastNoteUpdatedByResourceSer bigint, LastNoteUpdatedDate datetime, WorkFlowOverrideByResourceSer bigint,
    WorkFlowOverrideDate datetime, AnchorActivityFlag int, AutoAssignOncologistFlag int,
    PRIMARY KEY (ActivityInstanceSer)
);

CREATE TABLE Activity (
    ActivitySer bigint, ActivityRevCount int, ActivityCategorySer bigint, ActivityCode varchar(64),
    ActivityType varchar(32), DerivedFromActivitySer bigint, NoEditFlag int, ObjectStatus varchar(16),
    ResourceGroupSer bigint, DefaultDuration int, ExclusiveFlag int, NotificationPriorTime int,
    AssignableFlag int, Description varchar(254), ForeGroundColor varbinary, Icon image,
    HstryDateTime datetime, DICOMCodeValueSer bigint, NotificationPriorTimeFlag int,
    EscalationGroupSer bigint, TreatmentCycleSer bigint, ReviewFlag int, UpdCPResourceGroupSer bigint,
    UpdCPEscalationGroupSer bigint, AutoGenerateFlag int, NoAutoPostFlag int, PRIMARY KEY (ActivitySer)
);

CREATE TABLE ActivityCategory (
    ActivityCategorySer bigint, ActivityCategoryCode varchar(64), DepartmentSer bigint,
    DerivedFromActCategorySer bigint, SchedulableFlag int, NoEditFlag int, ObjectStatus varchar(16),
    HstryDateTime datetime, PRIMARY KEY (ActivityCategorySer)
);

CREATE TABLE ActivityCapture (
    ActivityCaptureSer bigint, ActivityCaptureRevCount int, ActivityInstanceSer bigint,
    ActivityInstanceRevCount int, AccountBillingCodeSer bigint, AccountBillingCodeRevCount int,
    PatientPayorSer bigint, PatientPayorRevCount int, PayorSer bigint, ResourceSer bigint,
    AttendingOncologistSer bigint, DepartmentSer bigint, CourseSer bigint, LastKnownCourseId varchar(16),
    InPatientFlag int, PatientStatus varchar(32), CompletionResetBy varchar(255), Comment varchar(254),
    HstryDateTime datetime, PRIMARY KEY (ActivityCaptureSer)
);

CREATE TABLE ResourceActivity (
    ScheduledActivitySer bigint, ResourceSer bigint, ExclusiveFlag int, PrimaryFlag int,
    HstryDateTime datetime
);

CREATE TABLE ChartQA (
    ChartQASer bigint, PatientSer bigint, ChartQADateTime datetime, ChartQABy varchar(255),
    Comment varchar(1024), ActivityInstanceSer bigint, HstryDateTime datetime, PRIMARY KEY (ChartQASer)
);

CREATE TABLE InVivoDosimetry (
    InVivoDosimetrySer bigint, PatientSer bigint, InVivoDate datetime, InVivoVendorName varchar(64),
    DosimeterType varchar(64), DosimeterId varchar(64), DosimeterLocation varchar(128), FieldId varchar(16),
    FieldName varchar(64), ExpectedDose float, DeliveredDose float, ToleranceValue float,
    UserName varchar(255), CreationUserName varchar(255), CreationDate datetime, PlanUID varchar(64),
    FieldGroupNumber int, ObjectStatus varchar(16), Comment varchar(254), HstryDateTime datetime,
    PRIMARY KEY (InVivoDosimetrySer)
);

CREATE TABLE Tracking (
    TrackingSer bigint, SeriesSer bigint, PlanSetupSer bigint, TrackingId varchar(16),
    TrackingName varchar(64), TrackingUID varchar(64), CreationDate datetime, Comment varchar(254),
    FileName varchar(254), TrackingType smallint, EquipmentSer bigint, HstryDateTime datetime,
    CharacterSet varchar(16), PRIMARY KEY (TrackingSer)
);

CREATE TABLE ConfigurationItem (
    ConfigurationSetSer bigint, ConfigurationItemId varchar(64), ConfigValue varchar(254),
    SettingXML varchar, SettingXMLLen int, HstryDateTime datetime,
    PRIMARY KEY (ConfigurationSetSer, ConfigurationItemId)
);

CREATE TABLE PatientRTStatus (
    PatientSer bigint, StatusType varchar(32), Status varchar(64), ObjectType varchar(32),
    LastObjectDate datetime
);

-- A vendor's view, of which only the name and the columns are public: what it counts is read from them.
CREATE VIEW vv_sy_DoseFiguresApp AS
SELECT
    p.PatientSer AS PatientSer, c.CourseSer AS CourseSer, ps.PlanSetupSer AS PlanSetupSer, rp.RTPlanSer AS RTPlanSer,
    rp.RTPlanSer AS FirstRTPlanSer, NULL AS RefPointSer, 1 AS PrimaryFlag,
    COALESCE(SUM(d.Delivered >= 0.99 * d.Planned), 0) AS FractionsDelivered, rp.NoFractions AS FractionsPlanned,
    rp.NoFractions - COALESCE(SUM(d.Delivered >= 0.99 * d.Planned), 0) AS FractionsRemaining,
    rp.PrescribedDose AS DosePerFraction, COALESCE(MAX(d.Delivered < 0.99 * d.Planned), 0) AS RunningPartial
FROM RTPlan rp
JOIN PlanSetup ps ON ps.PlanSetupSer = rp.PlanSetupSer
JOIN Course c ON c.CourseSer = ps.CourseSer
JOIN Patient p ON p.PatientSer = c.PatientSer
LEFT JOIN (
    SELECT
        tr.RTPlanSer AS RTPlanSer, rh.FractionNumber AS FractionNumber, SUM(eh.ActualMeterset) AS Delivered,
        (
            SELECT SUM(ef.Meterset) FROM Radiation ra JOIN ExternalFieldCommon ef ON ef.RadiationSer = ra.RadiationSer
            JOIN RTPlan own ON own.PlanSetupSer = ra.PlanSetupSer
            WHERE own.RTPlanSer = tr.RTPlanSer AND ef.SetupFieldFlag = 0
        ) AS Planned
    FROM TreatmentRecord tr
    JOIN RadiationHstry rh ON rh.TreatmentRecordSer = tr.TreatmentRecordSer
    JOIN ExternalFieldCommonHstry eh ON eh.RadiationHstrySer = rh.RadiationHstrySer
    WHERE rh.TreatmentDeliveryType IN ('TREATMENT', 'CONTINUATION')
    GROUP BY tr.RTPlanSer, rh.FractionNumber
) d ON d.RTPlanSer = rp.RTPlanSer
GROUP BY rp.RTPlanSer;
